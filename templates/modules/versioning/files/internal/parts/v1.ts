import { Type } from 'typebox';
import { representation } from '../platform/versioning/representation.ts';
import type { NewPart, Part, Place } from './domain.ts';

/** The place as one text. */
const fields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  place: Type.String({ pattern: '^[A-Z]-[0-9]{1,3}-[0-9]{1,3}$', description: 'Aisle, shelf and bin' }),
};
const example = { name: 'anchor', place: 'A-12-3' };

/** Parts as version 1 has them. */
export const v1 = representation({
  body: Type.Object(fields, {
    $id: 'NewPartV1',
    description: 'What is chosen when a part is created',
    additionalProperties: false,
    examples: [example],
  }),
  reply: Type.Object(
    { id: Type.String({ format: 'uuid' }), ...fields },
    {
      $id: 'PartV1',
      description: 'A part',
      examples: [{ id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55', ...example }],
    },
  ),
  fromBody: ({ name, place }): NewPart => ({ name, place: placeOf(place) }),
  toReply: ({ id, name, place: { aisle, shelf, bin } }: Part) => ({ id, name, place: `${aisle}-${shelf}-${bin}` }),
});

function placeOf(text: string): Place {
  const [aisle = '', shelf, bin] = text.split('-');
  return { aisle, shelf: Number(shelf), bin: Number(bin) };
}
