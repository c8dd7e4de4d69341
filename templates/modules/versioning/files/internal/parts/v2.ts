import { Type } from 'typebox';
import { representation } from '../platform/versioning/representation.ts';
import type { NewPart, Part } from './domain.ts';

/** The place in its parts. */
const fields = {
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
const example = { name: 'anchor', place: { aisle: 'A', shelf: 12, bin: 3 } };

/** Parts as version 2 has them. */
export const v2 = representation({
  body: Type.Object(fields, {
    $id: 'NewPartV2',
    description: 'What is chosen when a part is created',
    additionalProperties: false,
    examples: [example],
  }),
  reply: Type.Object(
    { id: Type.String({ format: 'uuid' }), ...fields },
    {
      $id: 'PartV2',
      description: 'A part',
      examples: [{ id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55', ...example }],
    },
  ),
  fromBody: (body): NewPart => body,
  toReply: (part: Part) => part,
});
