import { isUtf8 } from 'node:buffer';
import type { FastifyRequest } from 'fastify';
import { ServiceError } from '../../pkg/errors/index.ts';
import type { Http } from './server.ts';

/** Objects and arrays within one another. No API needs as many; a schema that refers to itself cannot bear many more. */
const deepest = 64;

/**
 * Reads bodies as JSON (RFC 8259), and no others. Fastify's own parser comes last: it refuses the keys by which prototypes are
 * polluted. What it would let through is refused before: bytes that are not UTF-8, for which it would read U+FFFD, and JSON so
 * deep that a recursive validator would run out of stack.
 * @param http the API's server
 */
export function jsonBody(http: Http): void {
  const parse = http.getDefaultJsonParser('error', 'error');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const refused = refusal(request, body);
    if (refused) done(refused);
    else void parse(request, body.toString('utf8'), done);
  });
}

function refusal({ headers }: FastifyRequest, body: Buffer): ServiceError | undefined {
  const { 'content-encoding': encoding = 'identity' } = headers;
  if (encoding !== 'identity') {
    return new ServiceError({
      code: 'unsupported_content_encoding',
      status: 415,
      publicMessage: 'The body is compressed; send it as it is.',
    });
  }
  if (!isUtf8(body)) {
    return new ServiceError({ code: 'invalid_utf8', status: 400, publicMessage: 'The body is not UTF-8.' });
  }
  if (isTooDeep(body)) {
    return new ServiceError({
      code: 'json_too_deep',
      status: 400,
      publicMessage: `The body nests deeper than ${deepest} levels.`,
    });
  }
  return undefined;
}

const [quote, backslash, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\[]{}');

function isTooDeep(json: Buffer): boolean {
  // A body this short has no room for so many brackets.
  if (json.length <= deepest) return false;
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < json.length; index += 1) {
    const byte = json[index];
    if (byte === backslash) index += 1;
    else if (byte === quote) quoted = !quoted;
    else if (quoted) continue;
    else if (byte === openArray || byte === openObject) depth += 1;
    else if (byte === closeArray || byte === closeObject) depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}
