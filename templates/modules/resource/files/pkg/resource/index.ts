import { Big } from 'big.js';
import { type Static, type TObject, type TSchema, type TUnsafe, Type } from 'typebox';
import { conflict, invalidArgument, notFound, ServiceError } from '../errors/index.ts';
import { type Fault, faultsOf } from '../validation/index.ts';

/** What every entity of a resource has. */
export interface Entity {
  readonly id: string;
  /** Counts the changes, from 1. */
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A position in a list: an entity's value of the field that orders the list, and its id. */
export interface Position {
  readonly value: string | number;
  readonly id: string;
}

/** Which entities a list shows, and in which order. */
export interface ListQuery {
  /** Max number of entities. */
  readonly limit: number;
  /** The field that orders the list, then the id does. */
  readonly by: string;
  readonly descending: boolean;
  /** Only entities after this position. */
  readonly after?: Position;
  /** Only entities whose fields have these values. */
  readonly where: Readonly<Record<string, unknown>>;
}

/** Stores entities. Each adapter implements it. */
export interface Repository<Stored extends Entity> {
  /** @throws {ServiceError} 409 when a unique value is taken, 422 when it refers to something that does not exist */
  add(entity: Stored): Promise<void>;
  find(id: string): Promise<Stored | undefined>;
  list(query: ListQuery): Promise<readonly Stored[]>;
  /** @returns the number of entities for each value of a field */
  countBy(field: keyof Stored & string): Promise<ReadonlyMap<string, number>>;
  /**
   * Stores the next version of an entity. Throws as `add` does.
   * @returns false when another change was faster: nothing is stored
   */
  save(entity: Stored): Promise<boolean>;
  /**
   * @returns false when another change was faster: nothing is removed
   * @throws {ServiceError} 409 when something refers to it
   */
  remove(entity: Stored): Promise<boolean>;
}

/** A change of one entity, which is stored. */
export interface Change<Stored extends Entity> {
  /** `created`, `changed`, `deleted`, or the name of a transition. */
  readonly change: string;
  /** The new version; the last one when it is deleted. */
  readonly entity: Stored;
  /** The version before a change or a transition. */
  readonly before: Stored | undefined;
}

/** Is called after each change. Work that outlives the request needs `detach`. */
export type Listener<Stored extends Entity> = (change: Change<Stored>) => unknown;

/**
 * Tells others about the changes of one resource.
 * @returns `onChange` adds a listener, and `changed` calls all of them
 */
export function changeFeed<Stored extends Entity>() {
  const listeners: ((change: Change<Stored>) => Promise<void>)[] = [];
  return {
    /**
     * @param log gets the errors of the listener: a request does not fail because of them
     * @param listener is called after each change, in the order of the changes in this process; no request waits for it
     */
    onChange: (log: { error(fields: object, message: string): void }, listener: Listener<Stored>): void => {
      listeners.push(async (change) => {
        try {
          await listener(change);
        } catch (err) {
          log.error({ err, id: change.entity.id, change: change.change }, 'a listener of changes failed');
        }
      });
    },
    changed: (change: string, entity: Stored, before?: Stored): void => {
      for (const listener of listeners) void listener({ change, entity, before });
    },
  };
}

/**
 * @param faults what is wrong with a value
 * @returns the error for the caller: 400, `validation_failed`
 */
export function invalid(faults: readonly Fault[]): Error {
  return invalidArgument('The request is not valid.', { code: 'validation_failed', details: { errors: faults } });
}

/**
 * @param schema of the value
 * @param value from a caller
 * @throws {ServiceError} 400 that names each faulty part and the rule that it breaks
 */
export function assertValid<Schema extends TSchema>(schema: Schema, value: unknown): asserts value is Static<Schema> {
  const faults = faultsOf(schema, value);
  if (faults.length > 0) throw invalid(faults);
}

/**
 * @param field whose value another entity has
 * @returns the error for the caller: 409
 */
export function taken(field: string): ServiceError {
  return conflict(`Another one has this ${field}.`, {
    code: 'already_exists',
    details: { errors: [{ pointer: `/${field}`, rule: 'unique', detail: 'must be unique' }] },
  });
}

/**
 * @param field that refers to something that does not exist
 * @returns the error for the caller: 422
 */
export function missingReference(field: string): ServiceError {
  return new ServiceError({
    code: 'reference_not_found',
    status: 422,
    publicMessage: `The ${field} does not exist.`,
    details: { errors: [{ pointer: `/${field}`, rule: 'reference', detail: 'must exist' }] },
  });
}

/** @returns the error for the caller when something refers to what it wants to remove: 409 */
export function inUse(): ServiceError {
  return conflict('Something refers to it.', { code: 'in_use' });
}

/**
 * Finds an entity that a caller wants to change.
 * @param what the kind of entity, such as `order`
 * @param found what the repository has
 * @param id of the entity
 * @param accepted versions that the caller accepts; undefined for any
 * @returns the entity
 * @throws {ServiceError} 404 when there is none, 412 with the version when it has another one
 */
export function existing<Stored extends Entity>(
  what: string,
  found: Stored | undefined,
  id: string,
  accepted?: readonly number[],
): Stored {
  if (found === undefined) throw notFound(what, id);
  if (accepted === undefined || accepted.includes(found.version)) return found;
  throw preconditionFailed(`The ${what} has changed: its version is ${found.version}.`, found);
}

/**
 * @param accepted versions that the caller accepts; undefined for any
 * @returns the error for the caller when another change was faster: 412, or 409 and worth another attempt if it accepts any version
 */
export function concurrentChange(accepted?: readonly number[]): ServiceError {
  const message = 'Another request changed it at the same time.';
  if (accepted !== undefined) return preconditionFailed(message);
  return conflict(`${message} Try again.`, { code: 'concurrent_change', retryable: true });
}

function preconditionFailed(publicMessage: string, found?: Entity): ServiceError {
  const details = found && { details: { version: found.version } };
  return new ServiceError({ code: 'precondition_failed', status: 412, publicMessage, ...details });
}

/** What a merge patch may change. */
interface PatchOptions<Schema extends TObject, Field extends string> {
  readonly $id: string;
  readonly description: string;
  /** The schema of the whole object. */
  readonly of: Schema;
  /** The fields that may change. */
  readonly fields: readonly Field[];
}

/**
 * Makes the schema of a merge patch (RFC 7396): each field may be missing, and `null` removes an optional one.
 * @param options the whole object, and its fields that may change
 * @returns the schema of the patch
 */
export function patchOf<Schema extends TObject, Field extends keyof Static<Schema> & string>({
  of: { properties },
  fields,
  ...options
}: PatchOptions<Schema, Field>): TUnsafe<Patch<Pick<Static<Schema>, Field>>> {
  const patched = fields.map((name): [string, TSchema] => {
    const { [name]: property = Type.Unknown() } = properties;
    // A default would be a change that the caller did not ask for.
    const { default: _, ...value }: TSchema & { default?: unknown } = property;
    const isNullable = Type.IsOptional(property) && !Type.IsUnknown(property);
    return [name, isNullable ? Type.Union([value, Type.Null()]) : value];
  });
  const schema = Type.Partial(Type.Object(Object.fromEntries(patched)), { ...options, additionalProperties: false });
  return Type.Unsafe(schema);
}

/** A change of an object: a missing field stays, and `null` removes an optional one. */
export type Patch<Whole> = { [Key in keyof Whole]?: undefined extends Whole[Key] ? Whole[Key] | null : Whole[Key] };

/**
 * Applies a merge patch (RFC 7396, 2).
 * @param target the object; it stays as it is
 * @param patch the changes
 * @returns a changed copy
 */
export function mergePatch(target: object, patch: object): object {
  const merged = new Map<string, unknown>(Object.entries(target));
  for (const [key, value] of Object.entries(patch) as [string, unknown][]) {
    const present = merged.get(key);
    if (value === null) merged.delete(key);
    else merged.set(key, isObject(value) ? mergePatch(isObject(present) ? present : {}, value) : value);
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param text a decimal number
 * @returns its only form without needless zeros: `1.5` for `1.50`
 */
export function decimal(text: string): string {
  const value = new Big(text);
  return value.eq(0) ? '0' : value.toFixed();
}

/**
 * @param text a time with any offset (RFC 3339)
 * @returns the same time in UTC, with milliseconds
 */
export function instant(text: string): string {
  return new Date(text).toISOString();
}

/** The least and the greatest value, both included. */
interface Limits {
  readonly min?: string;
  readonly max?: string;
}

/**
 * Checks a text that is a number, which JSON Schema cannot compare.
 * @param pointer to the value
 * @param value a decimal or large whole number; undefined has no faults
 * @param limits of the value
 * @returns its faults
 */
export function numberFaults(pointer: string, value: string | undefined, limits: Limits = {}): Fault[] {
  return faultsOutside(pointer, value, limits, (a, b) => new Big(a).cmp(b));
}

/**
 * @param name of a field, in camelCase
 * @returns the name in snake_case: that of its column, and of its field in Protocol Buffers
 */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** An offset can make another year of it, which RFC 3339 cannot write. */
function isTime(value: string): boolean {
  const time = new Date(value);
  return Number.isFinite(time.getTime()) && /^(?!0000)\d{4}-/.test(time.toISOString());
}

/**
 * Checks a date, or a time (RFC 3339), which JSON Schema cannot compare.
 * @param pointer to the value
 * @param value the date or the time; undefined has no faults
 * @param limits of the value
 * @returns its faults
 */
export function timeFaults(pointer: string, value: string | undefined, limits: Limits = {}): Fault[] {
  if (value !== undefined && !isTime(value))
    return [{ pointer, rule: 'format', detail: 'must be a time in the years 1 to 9999 of UTC' }];
  return faultsOutside(pointer, value, limits, (a, b) => Date.parse(a) - Date.parse(b));
}

function faultsOutside(
  pointer: string,
  value: string | undefined,
  { min, max }: Limits,
  compare: (a: string, b: string) => number,
): Fault[] {
  if (value === undefined) return [];
  if (min !== undefined && compare(value, min) < 0) return [{ pointer, rule: 'minimum', detail: `must be >= ${min}` }];
  if (max !== undefined && compare(value, max) > 0) return [{ pointer, rule: 'maximum', detail: `must be <= ${max}` }];
  return [];
}
