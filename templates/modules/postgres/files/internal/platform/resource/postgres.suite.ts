import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Entity } from '../../../pkg/resource/index.ts';
import type { TestDatabase } from '../postgres/testing.ts';
import { MemoryDatabase } from './memory.ts';
import { paged, removed, written } from './postgres.ts';

interface Row extends Entity {
  readonly word: string;
  readonly price: string;
  readonly parent?: string;
}

interface Tables {
  rows: { id: string; version: number; word: string; price: string; parent: string | null; created_at: string };
}

const constraints = { unique: { rows_pkey: 'id' }, references: { rows_parent_fkey: 'parent' } };

function row(more: Partial<Row> = {}): Row {
  const at = '2026-01-02T03:04:05.006Z';
  return { id: randomUUID(), version: 1, word: 'a', price: '1', createdAt: at, updatedAt: at, ...more };
}

/**
 * What holds of what the repositories of all resources share, on every database.
 * @param open opens a fresh one
 */
export function resourceSuite(open: () => Promise<TestDatabase>): void {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await open();
    await sql`
      create table rows (
        id uuid primary key, version bigint, word text collate "C", price numeric(19, 4), parent uuid, created_at timestamptz,
        constraint rows_parent_fkey foreign key (parent) references rows (id)
      )`.execute(database.tables<unknown>().db);
  });
  afterAll(() => database.close());

  const insert = ({ createdAt, updatedAt: _updatedAt, ...values }: Row) =>
    written(constraints, () =>
      database
        .tables<Tables>()
        .db.insertInto('rows')
        .values({ ...values, created_at: createdAt })
        .execute(),
    );

  it('lists in the order of the memory, by every kind of field, page after page', async () => {
    const words = ['a', 'B', 'ä', 'Z', 'z', ' ', 'a b', 'ab', '10', '9', 'é', 'E'];
    const memory = new MemoryDatabase().repository<Row>({
      name: 'rows',
      unique: [],
      refs: {},
      numeric: ['price'],
      times: [],
    });
    for (const [index, word] of words.entries()) {
      const createdAt = new Date(Date.UTC(2026, 0, 1 + (index % 3))).toISOString();
      for (const price of ['-1', '10', '9.5']) {
        const entity = row({ word, price, createdAt });
        await memory.add(entity);
        await insert(entity);
      }
    }
    const all = database.tables<Tables>().db.selectFrom('rows').select('id');
    for (const by of ['word', 'price', 'createdAt'] as const) {
      for (const descending of [false, true]) {
        for (const where of [{}, { word: 'a' }, { word: undefined, price: '9.50' }]) {
          const query = { limit: 7, by, descending, where };
          const ofMemory = { ...query, where: { ...where, ...('price' in where && { price: '9.5' }) } };
          let expected = await memory.list(ofMemory);
          expect(expected.length).toBeGreaterThan(0);
          for (let after; expected.length > 0; expected = await memory.list({ ...ofMemory, after })) {
            const found = await paged(all, { ...query, ...(after && { after }) }).execute();
            expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
            const last = expected.at(-1);
            after = { value: last?.[by] ?? '', id: last?.id ?? '' };
          }
        }
      }
    }
  });

  it('names the field of a reference to nothing, and refuses to remove what is referred to', async () => {
    const details = { errors: [expect.objectContaining({ pointer: '/parent', rule: 'reference' })] };
    const lost = insert(row({ parent: randomUUID() }));
    await expect(lost).rejects.toMatchObject({ code: 'reference_not_found', status: 422, details });
    const parent = row();
    await insert(parent);
    await insert(row({ parent: parent.id }));
    const remove = removed(() => database.tables<Tables>().db.deleteFrom('rows').where('id', '=', parent.id).execute());
    await expect(remove).rejects.toMatchObject({ code: 'in_use', status: 409 });
  });

  it('names the field of a value that is taken, and leaves other errors as they are', async () => {
    const entity = row();
    await insert(entity);
    await expect(insert(entity)).rejects.toMatchObject({ code: 'already_exists', status: 409 });
    await expect(insert(row({ price: '1e30' }))).rejects.toMatchObject({ code: 'invalid_value', status: 400 });
    await expect(removed(() => Promise.reject(new RangeError('other')))).rejects.toThrow(RangeError);
  });
}
