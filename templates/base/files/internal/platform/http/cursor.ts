import type { Static, TSchema } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import { matches } from '../../../pkg/validation/index.ts';

/**
 * @param position the last entry of a page, by the values that order the list
 * @returns a cursor, opaque to clients
 */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * @param schema of a position
 * @param cursor from a client
 * @returns the position
 * @throws {ServiceError} 400 when the cursor is not valid
 */
export function decodeCursor<Schema extends TSchema>(schema: Schema, cursor: string): Static<Schema> {
  const position = parse(Buffer.from(cursor, 'base64url').toString());
  if (matches(schema, position)) return position;
  throw new ServiceError({ code: 'invalid_cursor', status: 400, publicMessage: 'The cursor is not one that we gave.' });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
