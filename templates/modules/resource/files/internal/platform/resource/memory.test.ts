import { beforeEach, describe, expect, it } from 'vitest';
import type { Entity } from '../../../pkg/resource/index.ts';
import { MemoryDatabase } from './memory.ts';

interface Row extends Entity {
  readonly code?: string;
  readonly price?: string;
  readonly owner?: string;
  readonly at?: string;
}

function row(id: string, more: Partial<Row> = {}): Row {
  return { id, version: 1, createdAt: '', updatedAt: '', ...more };
}

let database: MemoryDatabase;
beforeEach(() => {
  database = new MemoryDatabase();
});

describe('a table in memory', () => {
  it('stores the next version of a row, once', async () => {
    const rows = database.repository<Row>({ name: 'rows' });
    await rows.add(row('a'));
    expect(await rows.save(row('a', { version: 3 }))).toBe(false);
    expect(await rows.save(row('a', { version: 2 }))).toBe(true);
    expect(await rows.save(row('a', { version: 2 }))).toBe(false);
    expect(await rows.remove(row('a'))).toBe(false);
    expect(await rows.remove(row('a', { version: 2 }))).toBe(true);
    expect(await rows.find('a')).toBeUndefined();
  });

  it('refuses a unique value that another row has, and takes rows without one', async () => {
    const rows = database.repository<Row>({ name: 'rows', unique: ['code'] });
    await rows.add(row('a', { code: 'x' }));
    await rows.add(row('b'));
    await rows.add(row('c'));
    await expect(rows.add(row('d', { code: 'x' }))).rejects.toMatchObject({ code: 'already_exists', status: 409 });
    await expect(rows.save(row('b', { version: 2, code: 'x' }))).rejects.toMatchObject({ status: 409 });
    expect(await rows.save(row('a', { version: 2, code: 'x' }))).toBe(true);
  });

  it('refuses a reference to nothing, and the removal of what is referred to', async () => {
    const owners = database.repository<Row>({ name: 'owners' });
    const rows = database.repository<Row>({ name: 'rows', refs: { owner: 'owners' } });
    await expect(rows.add(row('a', { owner: 'o' }))).rejects.toMatchObject({
      code: 'reference_not_found',
      status: 422,
    });
    await owners.add(row('o'));
    await rows.add(row('a', { owner: 'o' }));
    await expect(owners.remove(row('o'))).rejects.toMatchObject({ code: 'in_use', status: 409 });
    await rows.remove(row('a', { owner: 'o' }));
    expect(await owners.remove(row('o'))).toBe(true);
  });

  it('takes a reference in capitals for the same', async () => {
    const owners = database.repository<Row>({ name: 'owners' });
    const rows = database.repository<Row>({ name: 'rows', refs: { owner: 'owners' } });
    await owners.add(row('o'));
    await rows.add(row('a', { owner: 'O' }));
    expect(await rows.list({ limit: 9, by: 'id', descending: false, where: { owner: 'o' } })).toHaveLength(1);
    await expect(owners.remove(row('o'))).rejects.toMatchObject({ code: 'in_use', status: 409 });
  });

  it('lists numbers that are texts by their value, and equal ones by id, in both directions', async () => {
    const rows = database.repository<Row>({ name: 'rows', numeric: ['price'], times: ['at'] });
    for (const [id, price] of Object.entries({ a: '10', b: '9', c: '10', d: '-1' })) await rows.add(row(id, { price }));
    const ids = async (descending: boolean, after?: { value: string; id: string }) => {
      const found = await rows.list({ limit: 9, by: 'price', descending, where: {}, ...(after && { after }) });
      return found.map(({ id }) => id).join('');
    };
    expect([await ids(false), await ids(true)]).toEqual(['dbac', 'cabd']);
    expect([await ids(false, { value: '10', id: 'a' }), await ids(true, { value: '10', id: 'a' })]).toEqual([
      'c',
      'bd',
    ]);
    await expect(ids(true, { value: 'ten', id: 'a' })).rejects.toMatchObject({ code: 'invalid_cursor', status: 400 });
  });

  it.each(['at', 'createdAt'])('refuses a cursor whose time is no time, and takes one that is: %s', async (by) => {
    const rows = database.repository<Row>({ name: 'rows', times: ['at'] });
    const at = '2026-01-02T03:04:05.000Z';
    await rows.add({ ...row('a', { at }), createdAt: at });
    const after = (value: string | number) =>
      rows.list({ limit: 9, by, descending: false, where: {}, after: { value, id: 'b' } });
    for (const value of ['soon', '', 5, '2026-13-01', '2026-01-01T25:00:00.000Z'])
      await expect(after(value)).rejects.toMatchObject({ code: 'invalid_cursor' });
    expect([await after('2026-01-01'), await after(at)]).toMatchObject([[{ id: 'a' }], []]);
  });

  it('finds numbers and times by their value, in whatever form they are written', async () => {
    const rows = database.repository<Row>({ name: 'rows', numeric: ['price'], times: ['at'] });
    await rows.add(row('a', { price: '1.5', at: '2026-01-02T03:04:05.000Z' }));
    await rows.add(row('b', {}));
    await rows.add(row('c', { price: '9007199254740993' }));
    const ids = async (where: object) => {
      const found = await rows.list({ limit: 9, by: 'id', descending: false, where: { ...where } });
      return found.map(({ id }) => id).join('');
    };
    expect([await ids({ price: '1.50' }), await ids({ price: '2' })]).toEqual(['a', '']);
    expect([await ids({ price: '9007199254740993' }), await ids({ price: '9007199254740992' })]).toEqual(['c', '']);
    expect((await rows.find('A'))?.id).toBe('a');
    expect([await ids({ at: '2026-01-02T04:04:05+01:00' }), await ids({ at: '2027-01-02T03:04:05Z' })]).toEqual([
      'a',
      '',
    ]);
  });
});
