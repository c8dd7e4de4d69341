import { Type } from 'typebox';
import { representation } from '../platform/versioning/representation.ts';
import type { NewPart, Part, Place } from './domain.ts';

/** The place as one text. */
const fields1 = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  place: Type.String({ pattern: '^[A-Z]-[0-9]{1,3}-[0-9]{1,3}$', description: 'Aisle, shelf and bin' }),
};
const example1 = { name: 'anchor', place: 'A-12-3' };

/** Parts as version 1 has them. */
export const v1 = representation({
  body: Type.Object(fields1, {
    $id: 'NewPartV1',
    description: 'What is chosen when a part is created',
    additionalProperties: false,
    examples: [example1],
  }),
  reply: Type.Object(
    { id: Type.String({ format: 'uuid' }), ...fields1 },
    {
      $id: 'PartV1',
      description: 'A part',
      examples: [{ id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55', ...example1 }],
    },
  ),
  fromBody: ({ name, place }): NewPart => ({ name, place: placeOf(place) }),
  toReply: ({ id, name, place: { aisle, shelf, bin } }: Part) => ({ id, name, place: `${aisle}-${shelf}-${bin}` }),
});

function placeOf(text: string): Place {
  const [aisle = '', shelf, bin] = text.split('-');
  return { aisle, shelf: Number(shelf), bin: Number(bin) };
}

/** The place in its parts. */
const fields2 = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  place: Type.Object(
    {
      aisle: Type.String({ pattern: '^[A-Z]$' }),
      shelf: Type.Integer({ minimum: 0, maximum: 999 }),
      bin: Type.Integer({ minimum: 0, maximum: 999 }),
    },
    { additionalProperties: false },
  ),
};
const example2 = { name: 'anchor', place: { aisle: 'A', shelf: 12, bin: 3 } };

/** Parts as version 2 has them. */
export const v2 = representation({
  body: Type.Object(fields2, {
    $id: 'NewPartV2',
    description: 'What is chosen when a part is created',
    additionalProperties: false,
    examples: [example2],
  }),
  reply: Type.Object(
    { id: Type.String({ format: 'uuid' }), ...fields2 },
    {
      $id: 'PartV2',
      description: 'A part',
      examples: [{ id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55', ...example2 }],
    },
  ),
  fromBody: (body): NewPart => body,
  toReply: (part: Part) => part,
});
