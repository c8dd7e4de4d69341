import { Type } from 'typebox';
import { representation } from '../platform/versioning/apiVersions.ts';

/** A part, and its place in the warehouse. */
export interface Part {
  readonly id: string;
  readonly name: string;
  readonly place: { readonly aisle: string; readonly shelf: number; readonly bin: number };
}

/** The input from which a part is created. */
export type NewPart = Omit<Part, 'id'>;

const id = Type.String({ format: 'uuid' });
const name = Type.String({ minLength: 1, maxLength: 200 });

/** In version 1 the place is one text. */
const fields1 = {
  name,
  place: Type.String({ pattern: '^[A-Z]-[0-9]{1,3}-[0-9]{1,3}$', description: 'Aisle, shelf and bin' }),
};
const example1 = { name: 'anchor', place: 'A-12-3' };

/** Parts in version 1. */
export const v1 = representation({
  body: Type.Object(fields1, {
    $id: 'NewPartV1',
    description: 'What is chosen when a part is created',
    additionalProperties: false,
    examples: [example1],
  }),
  reply: Type.Object(
    { id, ...fields1 },
    { $id: 'PartV1', description: 'A part', examples: [{ id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55', ...example1 }] },
  ),
  fromBody({ name: chosen, place }): NewPart {
    const [aisle = '', shelf, bin] = place.split('-');
    return { name: chosen, place: { aisle, shelf: Number(shelf), bin: Number(bin) } };
  },
  toReply: ({ place: { aisle, shelf, bin }, ...part }: Part) => ({ ...part, place: `${aisle}-${shelf}-${bin}` }),
});

/** In version 2 the place has three members. */
const number = Type.Integer({ minimum: 0, maximum: 999 });
const aisle = Type.String({ pattern: '^[A-Z]$' });
const fields2 = { name, place: Type.Object({ aisle, shelf: number, bin: number }, { additionalProperties: false }) };
const example2 = { name: 'anchor', place: { aisle: 'A', shelf: 12, bin: 3 } };

/** Parts in version 2. */
export const v2 = representation({
  body: Type.Object(fields2, {
    $id: 'NewPartV2',
    description: 'What is chosen when a part is created',
    additionalProperties: false,
    examples: [example2],
  }),
  reply: Type.Object(
    { id, ...fields2 },
    { $id: 'PartV2', description: 'A part', examples: [{ id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55', ...example2 }] },
  ),
  fromBody: (body): NewPart => body,
  toReply: (part: Part) => part,
});
