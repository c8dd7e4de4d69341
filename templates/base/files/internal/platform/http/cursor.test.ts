import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';

const Position = Type.Tuple([Type.Integer(), Type.String()]);
/** JSON has no infinity, but `JSON.parse` makes one of a number that is too large. */
const infinite = Buffer.from('[1e999,"a"]').toString('base64url');

describe('a cursor', () => {
  it('comes back as it was, and fits into a URL', () => {
    const cursor = encodeCursor([7, 'ä?/&']);
    expect(encodeURIComponent(cursor)).toBe(cursor);
    expect(decodeCursor(Position, cursor)).toEqual([7, 'ä?/&']);
  });

  it.each(['', 'x', '{}', encodeCursor(null), encodeCursor(['7', 'a']), encodeCursor([7, 'a', 1]), infinite])(
    'that we did not give is refused: "%s"',
    (cursor) => {
      expect(() => decodeCursor(Position, cursor)).toThrow(
        expect.objectContaining({ code: 'invalid_cursor', status: 400 }),
      );
    },
  );
});
