import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../../pkg/context/index.ts';
import { invalidArgument, ServiceError } from '../../../pkg/errors/index.ts';
import { overloaded } from './problems.ts';
import { askToLeave } from './connections.ts';
import type { Http } from './server.ts';

/** @param limit the most bytes that there may be */
export function bodyTooLarge(limit: number): ServiceError {
  const publicMessage = `The body is larger than ${limit} bytes.`;
  return new ServiceError({ code: 'body_too_large', status: 413, publicMessage });
}

/** @param cause why the rest of the body will not come; nobody hears of it but the log */
export function bodyIncomplete(cause: Error): ServiceError {
  return invalidArgument('The body is not complete.', { code: 'body_incomplete', cause });
}

/** @param text that the parser has refused: for want of JSON, or for a key that is not let in */
export function unreadableJson(text: string): ServiceError {
  if (text === '') return invalidArgument('The body is empty; it has to be JSON.', { code: 'empty_json_body' });
  if (!isJson(text)) return invalidArgument('The body is not valid JSON.', { code: 'invalid_json_body' });
  const message = 'The body has a key that is refused: "__proto__", or "prototype" in "constructor".';
  return invalidArgument(message, { code: 'forbidden_json_key' });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The client has not sent its whole request in time: RFC 9110, 15.5.9. */
export function requestTimeout(): ServiceError {
  return new ServiceError({
    code: 'request_timeout',
    status: 408,
    publicMessage: 'The request did not arrive in time.',
  });
}

/** Bytes that each request has in any case: bodies that are large, or never end, do not keep small ones out. */
const free = 16_384;

/** Shares out the memory that the bodies of requests in flight may take. Without a bound, some hundred clients could take all. */
export class BodyMemory {
  readonly #limit: number;
  readonly #held = new Map<Context, number>();
  #total = 0;

  /** @param limit bytes for all requests together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @param context of the request whose body it is; when it is over, it gives back what it has
   * @param bytes that the body takes by now, all in all; less than before gives back the rest
   * @returns whether there is as much; if not, it keeps what it had
   */
  hold(context: Context, bytes: number): boolean {
    const held = this.#held.get(context);
    if (bytes <= free && held === undefined) return true;
    const needed = Math.max(bytes - free, 0);
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

/**
 * @param request as it came in
 * @returns whether some of its body is still to come
 */
export function isBodyDue({ headers, httpVersionMajor, complete, readableEnded }: IncomingMessage): boolean {
  // In HTTP/2 no header need announce a body.
  const hasBody =
    headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined || httpVersionMajor === 2;
  // What is injected, in tests, is never complete.
  return hasBody && !complete && !readableEnded;
}

/**
 * Asks the client to leave when nobody will read the rest of its body, which is large, may have no end, or is too slow: Node would
 * go on taking it in.
 * @param request that is being answered
 * @param reply to it
 * @param limit bytes up to which a body is rather taken in than the connection given up
 */
export function leaveUnread({ headers, raw }: FastifyRequest, reply: FastifyReply, limit: number): void {
  const isLong = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > limit;
  if ((isLong || reply.statusCode === 408) && isBodyDue(raw)) askToLeave(reply);
}

/** Objects and arrays within one another. No API needs as many; a schema that refers to itself cannot bear many more. */
const deepest = 64;
/** Bytes that an object or an array takes in memory at least, however few it takes as text: `{}`. */
const containerBytes = 64;

/** Also by the suffix that says so (RFC 6839, 3.1): `application/merge-patch+json`. */
const jsonType = /^application\/(?:[\w!#$&^.-]+\+)?json(?:;|$)/i;

/** A parameter of the type that says in what the text is written. */
const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i;
const utf8 = /^utf-?8$/i;

/**
 * Reads bodies as JSON (RFC 8259), and no others. Fastify's own parser comes last: it refuses the keys by which prototypes are
 * polluted. What it would let through is refused before: bytes that are not UTF-8, for which it would read U+FFFD, and JSON so
 * deep that a recursive validator would run out of stack.
 * @param http the API's server
 * @param holdFor asks for memory for the body of a request, in bytes all in all, and says whether there is as much
 */
export function jsonBody(http: Http, holdFor: (request: IncomingMessage, bytes: number) => boolean): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(jsonType, (request, payload, done) => {
    const { 'content-length': length } = request.headers;
    const hold = (bytes: number): boolean => holdFor(request.raw, bytes);
    const options = {
      limit: request.routeOptions.bodyLimit,
      length: length === undefined ? undefined : Number(length),
      hold,
    };
    readBody(payload, options, (error, body) => {
      const refused = error ?? refusal(request, body, hold);
      if (refused) return done(refused);
      const text = body.toString('utf8');
      // What Fastify says of it is the same for whatever is wrong, and names a type that need not be the request's.
      void parse(request, text, (unread, value) => done(unread && unreadableJson(text), value));
    });
  });
}

function refusal({ headers }: FastifyRequest, body: Buffer, hold: BodyOptions['hold']): ServiceError | undefined {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers;
  if (encoding !== 'identity') {
    return new ServiceError({
      code: 'unsupported_content_encoding',
      status: 415,
      publicMessage: 'The body is compressed; send it as it is.',
    });
  }
  // Read as UTF-8, it would be other text than was sent.
  if (!utf8.test(charset.exec(type)?.[1] ?? 'utf-8')) {
    const publicMessage = 'JSON is sent as UTF-8 (RFC 8259, 8.1), and no other charset is accepted.';
    return new ServiceError({ code: 'unsupported_charset', status: 415, publicMessage });
  }
  if (!isUtf8(body)) {
    return new ServiceError({ code: 'invalid_utf8', status: 400, publicMessage: 'The body is not UTF-8.' });
  }
  const containers = containersIn(body);
  if (containers === undefined) {
    return new ServiceError({
      code: 'json_too_deep',
      status: 400,
      publicMessage: `The body nests deeper than ${deepest} levels.`,
    });
  }
  return hold(body.length + containers * containerBytes) ? undefined : overloaded();
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\[]{}');

/** @returns how many objects and arrays there are; undefined when they nest too deep */
function containersIn(json: Buffer): number | undefined {
  let containers = 0;
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index];
    if (byte === backslash) index += 1;
    else if (byte === quote) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === openArray || byte === openObject) {
      containers += 1;
      depth += 1;
      if (depth > deepest) return undefined;
    } else if (byte === closeArray || byte === closeObject) depth -= 1;
  }
  return containers;
}
