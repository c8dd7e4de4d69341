import { Type } from 'typebox';
import { expect, it } from 'vitest';
import type { Entity, ListQuery } from '../../../pkg/resource/index.ts';
import { entityOf } from '../entities/shown.ts';
import { entryOf, sparsePage } from './sparse.ts';

interface Row extends Entity {
  readonly colour?: string;
  readonly secret?: string;
}

const id = '5f0c3b1e-8f0e-4a66-9b8e-3c1d2e4f5a6b';
const row: Row = { id, version: 1, createdAt: '', updatedAt: '', colour: 'red', secret: 'x' };
/** The field `secret` is private. */
const View = Type.Object({
  id: Type.String(),
  version: Type.Integer(),
  colour: Type.Optional(Type.Enum(['red', 'green'], { default: 'green' })),
});

it('an entry has the fields that the caller asks for, and its id', async () => {
  const seen: ListQuery[] = [];
  const list = async (query: ListQuery): Promise<Row[]> => {
    seen.push(query);
    return [row, row];
  };
  const { items, next } = await sparsePage<Row>(View, { fields: 'colour,colour', limit: 1 }, list);
  expect(items).toEqual([{ id, colour: 'red' }]);
  expect(next).toEqual(expect.any(String));
  expect(seen).toMatchObject([{ where: { fields: undefined }, by: 'createdAt' }]);
  expect((await sparsePage<Row>(View, {}, list)).items[0]).toBe(row);
});

it('links read the whole entity of an entry', async () => {
  const { items } = await sparsePage<Row>(View, { fields: 'version' }, async () => [row]);
  expect(items.map((entry) => entityOf(entry))).toEqual([row]);
  expect(entityOf(row)).toBe(row);
});

it.each(['secret', 'nothing', 'toString', '', ' version', 'version,'])(
  'a field that is private or unknown is refused, and the error names it: %j',
  async (fields) => {
    const wrong = fields.split(',').at(-1) ?? '';
    const errors = [{ in: 'querystring', pointer: '/fields', rule: 'enum', detail: `"${wrong}" is not a field` }];
    const refused = sparsePage<Row>(View, { fields }, async () => [row]);
    await expect(refused).rejects.toMatchObject({ status: 400, code: 'validation_failed', details: { errors } });
  },
);

it('each field of an entry but its id may be missing, and has no default', () => {
  const entry = JSON.stringify(entryOf(View, { $id: 'Entry', description: 'An entry' }));
  expect(JSON.parse(entry)).toEqual({
    $id: 'Entry',
    type: 'object',
    description: 'An entry',
    required: ['id'],
    properties: { id: { type: 'string' }, version: { type: 'integer' }, colour: { enum: ['red', 'green'] } },
  });
});
