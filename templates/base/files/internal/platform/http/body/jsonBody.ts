import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { ServiceError } from '../../../../pkg/errors/index.ts';
import { overloaded } from '../problems/overloaded.ts';
import type { Http } from '../server.ts';
import { unreadableJson } from './bodyErrors.ts';
import { type BodyOptions, readBody } from './readBody.ts';

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
