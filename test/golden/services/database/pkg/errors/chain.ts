import { ServiceError, type Tags } from './serviceError.ts';

/** A class whose instances are errors. */
export type ErrorClass<Instance extends Error> = abstract new (...args: never[]) => Instance;

/** What was being done when an error occurred: for the log. The nearest `ServiceError` in its causes still answers the caller. */
export class WrappedError extends Error {
  override readonly name = 'WrappedError';
  readonly tags: Tags | undefined;

  /**
   * @param message what was being done, such as `reading account 7`
   * @param cause what went wrong
   * @param tags what helps to find it
   */
  constructor(message: string, cause: unknown, tags?: Tags) {
    super(message, { cause });
    this.tags = tags;
  }
}

/**
 * Says what was being done, as Go does with `%w`.
 * @param error what was thrown
 * @param doing such as `reading account 7`
 * @param tags what helps to find it
 * @returns an error to throw in its place
 */
export function wrap(error: unknown, doing: string, tags?: Tags): WrappedError {
  return new WrappedError(doing, error, tags);
}

/**
 * Walks an error, its causes, and what an AggregateError holds: the nearest first, each once, even when they form a ring.
 * @param error anything that was thrown
 * @yields the error itself, then what is behind it
 */
export function* chain(error: unknown): Generator<unknown, void> {
  // What is added while a set is walked is walked too.
  const found = new Set([error]);
  for (const each of found) {
    yield each;
    if (!(each instanceof Error)) continue;
    if (each.cause !== undefined) found.add(each.cause);
    if (each instanceof AggregateError) for (const inner of each.errors) found.add(inner);
  }
}

/**
 * @param error anything that was thrown
 * @param Class of the error that is looked for
 * @returns the nearest one of that class in the chain
 */
export function as<Instance extends Error>(error: unknown, Class: ErrorClass<Instance>): Instance | undefined {
  for (const each of chain(error)) if (each instanceof Class) return each;
  return undefined;
}

/**
 * @param error anything that was thrown
 * @param what a class, or the code of a `ServiceError`
 * @returns whether one of that kind is in the chain
 */
export function is(error: unknown, what: string | ErrorClass<Error>): boolean {
  if (typeof what !== 'string') return as(error, what) !== undefined;
  for (const each of chain(error)) if (each instanceof ServiceError && each.code === what) return true;
  return false;
}

/**
 * @param error anything that was thrown
 * @returns the tags of the whole chain; of two with one name the nearer one stands
 */
export function tagsOf(error: unknown): Tags {
  const tags: Record<string, Tags[string]> = {};
  for (const each of [...chain(error)].toReversed()) {
    if (each instanceof ServiceError || each instanceof WrappedError) Object.assign(tags, each.tags);
  }
  return tags;
}
