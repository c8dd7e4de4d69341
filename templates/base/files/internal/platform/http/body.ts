import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Context } from '../../../pkg/context/index.ts';
import { invalidArgument, ServiceError } from '../../../pkg/errors/index.ts';
import { overloaded } from './problems.ts';
import type { Http } from './types.ts';

/**
 * JSON in UTF-8 (RFC 8259, 8.1), including types with the suffix of RFC 6839, 3.1: `application/merge-patch+json`. Any other type or charset
 * is 415.
 */
const jsonType = /^application\/(?:[\w!#$&^.-]+\+)?json(?:$|;)(?!.*charset\s*=(?!\s*"?utf-?8))/i;

/** Largest nesting of objects and arrays. Validators of recursive schemas run out of stack at a few times as many. */
const maxDepth = 64;

/** Bytes that an object or an array takes in memory at least, although `{}` takes only two as text. */
const containerBytes = 64;

/** Bytes of each body that are not counted, so that large or endless bodies do not keep small ones out. */
const freeBytes = 16_384;

/**
 * Accepts JSON bodies and no others. Refuses bytes that are not UTF-8, which Fastify would replace by U+FFFD, JSON so deep that a
 * recursive validator runs out of stack, and keys that change prototypes.
 * @param http the API's server
 * @param memoryBytes for the bodies of all requests in progress
 */
export function jsonBody(http: Http, memoryBytes: number): void {
  const reserve = bodyMemory(memoryBytes);
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser(jsonType, (request, payload, done) => {
    readBody(request, payload, reserve, (error, body) => {
      if (error !== null) return done(error);
      const { length } = body;
      if (length === 0 && request.routeOptions.schema?.body === undefined) return done(null);
      if (!isUtf8(body)) return done(invalidArgument('The body is not UTF-8.', { code: 'invalid_utf8' }));
      const containers = containersIn(body);
      if (containers === undefined)
        return done(invalidArgument(`The body nests deeper than ${maxDepth} levels.`, { code: 'json_too_deep' }));
      if (!reserve(request.callContext, length, length + containers * containerBytes)) return done(overloaded());
      void parse(request, body.toString(), done);
    });
  });
}

/** Reserves memory for a body whose size grows, in bytes, until its request ends. Returns whether there is enough. */
type Reserve = (context: Context, from: number, to: number) => boolean;

/** Limits the memory for the bodies of all requests in progress. Without a limit, a few hundred clients could use up the heap. */
function bodyMemory(limit: number): Reserve {
  let total = 0;
  return (context, from, to) => {
    const more = Math.max(to, freeBytes) - Math.max(from, freeBytes);
    if (more === 0) return true;
    if (total + more > limit || context.signal.aborted) return false;
    total += more;
    context.signal.addEventListener('abort', () => (total -= more), { once: true });
    return true;
  };
}

/** Reads a body into one buffer. Fastify keeps each chunk as an object: a megabyte in chunks of one byte takes half a gigabyte. */
function readBody(
  { callContext, headers, routeOptions: { bodyLimit } }: FastifyRequest,
  payload: Readable,
  reserve: Reserve,
  done: (error: Error | null, body: Buffer) => void,
): void {
  const expected = Number(headers['content-length'] ?? bodyLimit);
  let body = Buffer.alloc(0);
  let used = 0;

  const finish = (error: Error | null): void => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    done(error, body.subarray(0, used));
  };
  const onData = (chunk: Buffer): void => {
    const end = used + chunk.length;
    if (end > bodyLimit) return finish(bodyTooLarge(bodyLimit));
    if (end > body.length) {
      // Doubling the buffer copies each byte twice on average, for any size of the chunks.
      const size = Math.max(end, Math.min(2 * body.length, expected));
      if (!reserve(callContext, body.length, size)) return finish(overloaded());
      body = Buffer.concat([body], size);
    }
    used += chunk.copy(body, used);
  };
  const onEnd = (): void => finish(null);
  const onError = (cause: Error): void =>
    finish(invalidArgument('The body is not complete.', { code: 'body_incomplete', cause }));
  if (expected > bodyLimit) finish(bodyTooLarge(bodyLimit));
  else payload.on('data', onData).on('end', onEnd).on('error', onError);
}

function bodyTooLarge(limit: number): ServiceError {
  const publicMessage = `The body is larger than ${limit} bytes.`;
  return new ServiceError({ status: 413, code: 'body_too_large', publicMessage });
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
