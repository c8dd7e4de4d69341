import { type Context, current, runWith } from './context.ts';
import { givenUp } from './errors.ts';

/** Work that goes on after what it was started from. */
interface Detached {
  readonly name: string;
  readonly context: Context;
  /** When it is over, however that came; never rejects. */
  readonly over: Promise<void>;
}

/** All of it in this process. */
const ongoing = new Set<Detached>();

/**
 * Runs work that outlives what it was started from: it leaves the deadline and the cancellation of that, and keeps the trace of
 * it as a link. A service that stops waits for it as long as it waits for requests, and then aborts its signal.
 * @param name of the work, for its span and for the log; one for all work of its kind, without ids
 * @param work what to run
 * @returns what the work gives; what it throws is for the caller of this function to log
 */
export async function detach<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
  const context = current().detached(name);
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const detached = { name, context, over };
  ongoing.add(detached);
  try {
    return await runWith(context, work);
  } finally {
    ongoing.delete(detached);
    context.cancel();
    resolve();
  }
}

/** Waits until no detached work goes on any more, that which begins meanwhile included. */
export async function finishDetachedWork(): Promise<void> {
  while (ongoing.size > 0) await Promise.all(Array.from(ongoing, ({ over }) => over));
}

/**
 * Aborts the signal of all detached work that goes on.
 * @returns how many pieces of it there are, by name
 */
export function giveUpDetachedWork(): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const { name, context } of ongoing) {
    pieces.set(name, (pieces.get(name) ?? 0) + 1);
    context.cancel(givenUp('the service stops'));
  }
  return pieces;
}
