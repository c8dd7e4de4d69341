import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Entity, ListQuery, Repository } from '../../pkg/resource/index.ts';

/** A repository on a database of its own. */
export interface OpenRepository<Stored extends Entity> {
  readonly repository: Repository<Stored>;
  readonly close?: () => Promise<void>;
}

/** What the tests store. */
export interface Examples<Stored extends Entity> {
  /** Two entities. Their unique fields differ. */
  readonly pair: readonly [Stored, Stored];
  /** Fields that an entity may lack. */
  readonly optional: readonly string[];
  readonly unique: readonly string[];
  /** Fields that order a list. */
  readonly sortable: readonly string[];
  /** Fields that a list looks for. */
  readonly filters: readonly string[];
}

/**
 * Tests that a repository does what its port says, on any database. Other tables may be empty: nothing checks what it refers to.
 * @param open opens it
 * @param examples what to store
 */
export function repositorySuite<Stored extends Entity>(
  open: () => Promise<OpenRepository<Stored>>,
  { pair: [example, another], optional, unique, sortable, filters }: Examples<Stored>,
): void {
  let opened: OpenRepository<Stored>;
  let repository: Repository<Stored>;
  beforeAll(async () => {
    opened = await open();
    ({ repository } = opened);
  });
  afterAll(() => opened.close?.());

  const all: ListQuery = { limit: 100, by: 'createdAt', descending: false, where: {} };
  const renewed = (entity: Stored): Stored => ({ ...entity, id: randomUUID() });
  beforeEach(async () => {
    for (const entity of await repository.list(all)) await repository.remove(entity);
  });

  it('stores an entity, and finds it as it was', async () => {
    const [whole, least] = [renewed(example), renewed(another)];
    for (const field of optional) Reflect.deleteProperty(least, field);
    for (const entity of [whole, least]) await repository.add(entity);
    expect([await repository.find(whole.id), await repository.find(least.id)]).toEqual([whole, least]);
    expect(await repository.find(randomUUID())).toBeUndefined();
  });

  it('stores the next version for one of several callers', async () => {
    const entity = renewed(example);
    await repository.add(entity);
    const next = { ...entity, version: entity.version + 1, updatedAt: '2027-01-02T03:04:05.678Z' };
    const saved = await Promise.all(Array.from({ length: 8 }, () => repository.save(next)));
    expect(saved.filter(Boolean)).toHaveLength(1);
    expect(await repository.save({ ...next, version: next.version + 2 })).toBe(false);
    expect(await repository.find(entity.id)).toEqual(next);
  });

  it('counts entities by the value of a field', async () => {
    const [one, other] = [renewed(example), renewed(another)];
    for (const entity of [one, other]) await repository.add(entity);
    expect(await repository.countBy('version')).toEqual(new Map([['1', 2]]));
    await repository.save({ ...other, version: 2 });
    const counts = await repository.countBy('version');
    expect(Object.fromEntries(counts)).toEqual({ 1: 1, 2: 1 });
  });

  it('removes only the version that the caller has seen', async () => {
    const entity = renewed(example);
    await repository.add(entity);
    expect(await repository.remove({ ...entity, version: entity.version + 1 })).toBe(false);
    const removed = await Promise.all([repository.remove(entity), repository.remove(entity)]);
    expect(removed.toSorted()).toEqual([false, true]);
    expect(await repository.find(entity.id)).toBeUndefined();
  });

  it.skipIf(unique.length === 0)('gives a unique value to one of several callers', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => repository.add(renewed(example))));
    const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(errors).toHaveLength(7);
    const pointer: unknown = expect.stringMatching(`^/(${unique.join('|')})$`);
    for (const error of errors)
      expect(error).toMatchObject({ code: 'already_exists', details: { errors: [{ pointer, rule: 'unique' }] } });
    const other = renewed(another);
    await repository.add(other);
    const taken = { ...renewed(example), id: other.id, version: other.version + 1 };
    await expect(repository.save(taken)).rejects.toMatchObject({ code: 'already_exists' });
  });

  it('lists pages by each field, in both directions', async () => {
    for (const entity of [example, another]) await repository.add(renewed(entity));
    for (const by of sortable) {
      const whole = await repository.list({ ...all, by });
      expect(whole).toHaveLength(2);
      expect(await repository.list({ ...all, by, descending: true })).toEqual(whole.toReversed());
      for (const descending of [false, true]) {
        const one = { ...all, by, descending, limit: 1 };
        const [first] = await repository.list(one);
        const value: unknown = Reflect.get(first ?? {}, by);
        const after = { value: typeof value === 'number' ? value : String(value), id: first?.id ?? '' };
        const rest = await repository.list({ ...one, limit: 9, after });
        expect([first, ...rest]).toEqual(descending ? whole.toReversed() : whole);
      }
    }
  });

  it('lists only what has the wanted values', async () => {
    const entity = renewed(example);
    await repository.add(entity);
    await repository.add(renewed(another));
    for (const field of filters) {
      const found = await repository.list({ ...all, where: { [field]: Reflect.get(entity, field) } });
      const others = found.filter(({ id }) => id !== entity.id);
      expect(found).toContainEqual(entity);
      for (const other of others) expect(Reflect.get(other, field)).toEqual(Reflect.get(entity, field));
    }
  });
}
