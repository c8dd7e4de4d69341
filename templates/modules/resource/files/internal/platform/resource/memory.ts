import { Big } from 'big.js';
import { Type } from 'typebox';
import { invalidArgument } from '../../../pkg/errors/index.ts';
import { type Entity, inUse, missingReference, type Repository, taken } from '../../../pkg/resource/index.ts';
import { defineModule } from '../app/module.ts';
import { type IdempotencyStore, memoryIdempotency } from './idempotency.ts';

/** What the database checks of one kind of entity. */
export interface MemoryTable {
  readonly name: string;
  /** Fields whose values are unique. */
  readonly unique?: readonly string[];
  /** Field → the name of the table whose ids it holds. */
  readonly refs?: Readonly<Record<string, string>>;
  /** Fields that hold numbers as texts. */
  readonly numeric?: readonly string[];
  /** Fields that hold dates or times. */
  readonly times?: readonly string[];
}

type Rows = Map<string, Entity>;

const day = 86_400_000;

/** The entities of all resources in the memory of this process: for development and tests, lost on a restart. */
export class MemoryDatabase {
  readonly #tables = new Map<MemoryTable, Rows>();
  readonly idempotency: IdempotencyStore = memoryIdempotency({ keys: 10_000, ttlMs: day });

  /**
   * @param table its name and what is checked
   * @returns a repository that checks what the tables of a real database check
   */
  repository<Stored extends Entity>(table: MemoryTable): Repository<Stored> {
    const rows = new Map<string, Stored>();
    this.#tables.set(table, rows);
    const check = (entity: Stored): void => {
      for (const field of table.unique ?? []) {
        const value: unknown = Reflect.get(entity, field);
        const others = [...rows.values()].filter(({ id }) => id !== entity.id);
        if (value !== undefined && others.some((other) => Reflect.get(other, field) === value)) throw taken(field);
      }
      for (const [field, target] of Object.entries(table.refs ?? {})) {
        const id: unknown = Reflect.get(entity, field);
        if (typeof id === 'string' && !this.#has(target, id)) throw missingReference(field);
      }
    };
    const isCurrent = ({ id, version }: Entity): boolean => rows.get(id)?.version === version;
    return {
      async add(entity) {
        check(entity);
        rows.set(entity.id, entity);
      },
      // A caller may write the digits of an id in capitals (RFC 9562, 4).
      find: async (id) => rows.get(id.toLowerCase()),
      async list({ limit, by, descending, after, where }) {
        const compare = comparing(table, by, descending);
        const start = after && { [by]: after.value, id: after.id };
        const isTimed = ['createdAt', 'updatedAt', ...(table.times ?? [])].includes(by);
        const form = table.numeric?.includes(by) ? number : isTimed ? time : undefined;
        if (after !== undefined && form?.test(String(after.value)) === false)
          throw invalidArgument('The cursor is not one of this list.', { code: 'invalid_cursor' });
        const wanted = Object.entries(where).filter(([, value]) => value !== undefined);
        return [...rows.values()]
          .filter((row) =>
            wanted.every(([field]) => inOrder(valueOf(table, row, field), valueOf(table, where, field)) === 0),
          )
          .filter((row) => start === undefined || compare(start, row) < 0)
          .toSorted(compare)
          .slice(0, limit);
      },
      async countBy(field) {
        const counts = new Map<string, number>();
        for (const { [field]: value } of rows.values()) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
        return counts;
      },
      async save(entity) {
        if (!isCurrent({ ...entity, version: entity.version - 1 })) return false;
        check(entity);
        rows.set(entity.id, entity);
        return true;
      },
      remove: async (entity) => {
        if (!isCurrent(entity)) return false;
        if (this.#isReferred(table.name, entity.id)) throw inUse();
        return rows.delete(entity.id);
      },
    };
  }

  /** In a test of one slice, the other tables may be missing. */
  #has(name: string, id: string): boolean {
    const targets = [...this.#tables].filter(([table]) => table.name === name);
    return targets.length === 0 || targets.some(([, rows]) => rows.has(id.toLowerCase()));
  }

  #isReferred(name: string, id: string): boolean {
    return [...this.#tables].some(([{ refs = {} }, rows]) =>
      Object.entries(refs).some(
        ([field, target]) =>
          target === name && [...rows.values()].some((row) => row.id !== id && lower(Reflect.get(row, field)) === id),
      ),
    );
  }
}

const number = /^-?\d+(?:\.\d+)?$/;
const time = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z)?$/;

function lower(id: unknown): unknown {
  return typeof id === 'string' ? id.toLowerCase() : id;
}

/** @returns the value of a field, in the form in which it is compared: numbers, times and ids may be written in several */
function valueOf({ numeric = [], times = [], refs = {} }: MemoryTable, row: object, field: string): unknown {
  const value: unknown = Reflect.get(row, field);
  if (typeof value !== 'string') return value;
  if (Object.hasOwn(refs, field)) return lower(value);
  if (numeric.includes(field)) return new Big(value);
  return times.includes(field) ? Date.parse(value) : value;
}

function inOrder(left: unknown, right: unknown): number {
  if (left instanceof Big && right instanceof Big) return left.cmp(right);
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left !== typeof right) return typeof left < typeof right ? -1 : 1;
  return String(left) < String(right) ? -1 : Number(String(left) > String(right));
}

/** @returns the order of a list: by a field, then by id */
function comparing(table: MemoryTable, by: string, descending: boolean) {
  const order = (a: object, b: object, field: string): number =>
    inOrder(valueOf(table, a, field), valueOf(table, b, field));
  return (a: object, b: object): number => (order(a, b, by) || order(a, b, 'id')) * (descending ? -1 : 1);
}

/** The database of a service that has no other. */
export const memory = defineModule({
  name: 'memory',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: new MemoryDatabase() }),
});
