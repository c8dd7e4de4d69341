import type { Readable } from 'node:stream';
import { overloaded } from '../problems/overloaded.ts';
import { bodyIncomplete, bodyTooLarge } from './bodyErrors.ts';

export interface BodyOptions {
  /** Bytes at most. */
  readonly limit: number;
  /** Bytes that the client has announced, if it has. */
  readonly length: number | undefined;
  /** Asks for memory, in bytes all in all; says whether there is as much. */
  readonly hold: (bytes: number) => boolean;
}

const nothing = Buffer.alloc(0);

/**
 * Reads a body into one buffer. Not Fastify's own reader: that keeps each chunk as an object until the end, and of one megabyte in
 * chunks of one byte a million of them, which are half a gigabyte.
 * @param payload the body as it comes
 * @param options its limits
 * @param done gets the whole body, or why it is refused
 */
export function readBody(
  payload: Readable,
  { limit, length = limit, hold }: BodyOptions,
  done: (error: Error | null, body: Buffer) => void,
): void {
  if (length > limit) return done(bodyTooLarge(limit), nothing);
  let body = nothing;
  let used = 0;

  const finish = (error: Error | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, used === body.length ? body : body.subarray(0, used));
  };
  const onData = (chunk: Buffer): void => {
    const end = used + chunk.length;
    if (end > limit) return finish(bodyTooLarge(limit));
    if (end > body.length) {
      // Twice as much as before: a byte is copied twice on average, in however many chunks it comes.
      const size = Math.max(end, Math.min(2 * body.length, length));
      if (!hold(size)) return finish(overloaded());
      const larger = Buffer.allocUnsafe(size);
      body.copy(larger, 0, 0, used);
      body = larger;
    }
    chunk.copy(body, used);
    used = end;
  };
  const onEnd = (): void => finish(null);
  const onError = (cause: Error): void => finish(bodyIncomplete(cause));
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}
