import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../../pkg/context/index.ts';
import { invalidArgument, ServiceError } from '../../../pkg/errors/index.ts';
import { closeAfter } from './connections.ts';
import { overloaded } from './problems.ts';
import type { Http } from './types.ts';

function refused(status: number, code: string, publicMessage: string): ServiceError {
  return new ServiceError({ status, code, publicMessage });
}

/** @param limit largest number of bytes */
export function bodyTooLarge(limit: number): ServiceError {
  return refused(413, 'body_too_large', `The body is larger than ${limit} bytes.`);
}

/** @returns the error of a client that has not sent its whole request in time (RFC 9110, 15.5.9) */
export function requestTimeout(): ServiceError {
  return refused(408, 'request_timeout', 'The request did not arrive in time.');
}

/** Bytes of each body that are not counted, so that large or endless bodies do not keep small ones out. */
const freeBytes = 16_384;

/** Limits the memory for the bodies of all requests in progress. Without a limit, a few hundred clients could use up the heap. */
export class BodyMemory {
  readonly #limit: number;
  readonly #held = new Map<Context, number>();
  #total = 0;

  /** @param limit bytes for all requests together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Reserves memory until the request ends.
   * @param context of the request
   * @param bytes that its body takes now in total; a smaller number than before releases the difference
   * @returns whether there is enough memory; if not, the former reservation stays
   */
  hold(context: Context, bytes: number): boolean {
    const held = this.#held.get(context);
    if (bytes <= freeBytes && held === undefined) return true;
    const needed = Math.max(bytes - freeBytes, 0);
    const more = needed - (held ?? 0);
    if (more > 0 && (this.#total + more > this.#limit || context.ended() !== undefined)) return false;
    if (held === undefined) context.whenOver(() => this.#release(context));
    this.#held.set(context, needed);
    this.#total += more;
    return true;
  }

  #release(context: Context): void {
    this.#total -= this.#held.get(context) ?? 0;
    this.#held.delete(context);
  }
}

/** Reserves memory for a body, in bytes in total. Returns whether there is enough. */
type Hold = (bytes: number) => boolean;

interface BodyOptions {
  /** Largest number of bytes. */
  readonly limit: number;
  /** The value of Content-Length. */
  readonly length: number | undefined;
  readonly hold: Hold;
}

const emptyBody = Buffer.alloc(0);

/** Reads a body into one buffer. Fastify keeps each chunk as an object: a megabyte in chunks of one byte takes half a gigabyte. */
function readBody(
  payload: Readable,
  { limit, length = limit, hold }: BodyOptions,
  done: (error: Error | null, body: Buffer) => void,
): void {
  if (length > limit) return done(bodyTooLarge(limit), emptyBody);
  let body = emptyBody;
  let used = 0;

  const finish = (error: Error | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, used === body.length ? body : body.subarray(0, used));
  };
  const onData = (chunk: Buffer): void => {
    const end = used + chunk.length;
    if (end > limit) return finish(bodyTooLarge(limit));
    if (end > body.length) {
      // Doubling the buffer copies each byte twice on average, for any size of the chunks.
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
  const onError = (cause: Error): void =>
    finish(invalidArgument('The body is not complete.', { code: 'body_incomplete', cause }));
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}

/**
 * @param request as Node gives it
 * @returns whether its head announces a body
 */
export function hasBody({ headers, httpVersionMajor, complete }: IncomingMessage): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  // HTTP/2 needs no header to announce a body.
  return encoding !== undefined || (length === undefined ? httpVersionMajor === 2 && !complete : Number(length) !== 0);
}

/**
 * @param request as Node gives it
 * @returns whether a part of its body has not arrived yet
 */
export function isBodyDue(request: IncomingMessage): boolean {
  // An injected request, in tests, is never `complete`.
  return hasBody(request) && !request.complete && !request.readableEnded;
}

/**
 * Closes the connection after the reply if the rest of the body is large, endless or too slow. Node would go on reading it.
 * @param request that is answered
 * @param reply to it
 * @param limit bytes up to which the rest of a body is read
 */
export function closeIfBodyDue({ headers, raw }: FastifyRequest, reply: FastifyReply, limit: number): void {
  const isLong = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > limit;
  if ((isLong || reply.statusCode === 408) && isBodyDue(raw)) closeAfter(reply);
}

/** Includes types with the suffix of RFC 6839, 3.1: `application/merge-patch+json`. */
const jsonType = /^application\/(?:[\w!#$&^.-]+\+)?json(?:;|$)/i;

/**
 * Accepts JSON bodies (RFC 8259) and no others. Refuses bytes that are not UTF-8, which Fastify would replace by U+FFFD, JSON so deep
 * that a recursive validator runs out of stack, and keys that change prototypes.
 * @param http the API's server
 * @param holdFor reserves memory for the body of a request, in bytes in total; returns whether there is enough
 */
export function jsonBody(http: Http, holdFor: (request: FastifyRequest, bytes: number) => boolean): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(jsonType, (request, payload, done) => {
    const { 'content-length': length } = request.headers;
    const hold: Hold = (bytes) => holdFor(request, bytes);
    const options = {
      limit: request.routeOptions.bodyLimit,
      length: length === undefined ? undefined : Number(length),
      hold,
    };
    readBody(payload, options, (error, body) => {
      if (error === null && body.length === 0 && request.routeOptions.schema?.body === undefined) return done(null);
      const fault = error ?? faultOfBody(request, body, hold);
      if (fault) return done(fault);
      const text = body.toString('utf8');
      // Fastify's message is the same for all faults, so it is replaced.
      void parse(request, text, (refusal, value) => done(refusal && unreadableJson(text), value));
    });
  });
}

/** Largest nesting of objects and arrays. Validators of recursive schemas run out of stack at a few times as many. */
const maxDepth = 64;
/** Bytes that an object or an array takes in memory at least, although `{}` takes only two as text. */
const containerBytes = 64;

function faultOfBody({ headers }: FastifyRequest, body: Buffer, hold: Hold): ServiceError | undefined {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  if (encoding !== 'identity') {
    return refused(415, 'unsupported_content_encoding', 'The body is compressed; send it as it is.');
  }
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type)?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset)) {
    const message = 'JSON is sent as UTF-8 (RFC 8259, 8.1), and no other charset is accepted.';
    return refused(415, 'unsupported_charset', message);
  }
  if (!isUtf8(body)) return refused(400, 'invalid_utf8', 'The body is not UTF-8.');
  const containers = containersIn(body);
  if (containers === undefined) {
    return refused(400, 'json_too_deep', `The body nests deeper than ${maxDepth} levels.`);
  }
  return hold(body.length + containers * containerBytes) ? undefined : overloaded();
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\[]{}');

/** @returns the number of objects and arrays; undefined when they are nested too deep */
function containersIn(json: Buffer): number | undefined {
  let containers = 0;
  let depth = 0;
  let isQuoted = false;
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index];
    if (byte === backslash) index += 1;
    else if (byte === quote) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (byte === openArray || byte === openObject) {
      containers += 1;
      depth += 1;
      if (depth > maxDepth) return undefined;
    } else if (byte === closeArray || byte === closeObject) depth -= 1;
  }
  return containers;
}

/** @returns why the parser has refused a text: it is not JSON, or has a key that changes a prototype */
function unreadableJson(text: string): ServiceError {
  if (text === '') return invalidArgument('The body is empty; it has to be JSON.', { code: 'empty_json_body' });
  try {
    JSON.parse(text);
  } catch {
    return invalidArgument('The body is not valid JSON.', { code: 'invalid_json_body' });
  }
  const message = 'The body has a key that is refused: "__proto__", or "prototype" in "constructor".';
  return invalidArgument(message, { code: 'forbidden_json_key' });
}
