import { invalidArgument } from '../errors/index.ts';
import { isJson } from './mediaType.ts';
import type { Input, Operation } from './operation.ts';

/** A request that can be sent more than once. */
export interface Prepared {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: NonNullable<RequestInit['body']> | null;
  /** Whether the outcome is the same when it is carried out more than once. */
  readonly isIdempotent: boolean;
}

const idempotencyKey = 'idempotency-key';
const usual = 'application/json, application/problem+json, */*;q=0.1';
/** Beside what is asked for by name. */
const less = 'application/json;q=0.9, application/problem+json, */*;q=0.1';
/** RFC 9110, 9.2.2; what is safe is idempotent too. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * @param service where it is, a path in its base URL stays; the media type that is asked for
 * @param operation what is called
 * @param input parameters and body
 * @returns the request; an operation that takes an Idempotency-Key gets one, unless the caller has chosen it
 * @throws {ServiceError} 400 when a parameter of the path is missing, empty or would lead elsewhere, as would a URL
 */
export function prepare(
  { baseUrl, accept }: { readonly baseUrl: string | URL; readonly accept?: string },
  operation: Operation,
  input: Input,
): Prepared {
  const { method, mediaType = 'application/json', takesIdempotencyKey = false } = operation;
  const headers = new Headers({ accept: accept === undefined ? usual : `${accept}, ${less}` });
  for (const [name, value] of given(input.headers)) headers.set(name, value);
  if (takesIdempotencyKey && !headers.has(idempotencyKey)) headers.set(idempotencyKey, crypto.randomUUID());
  if (input.body !== undefined && !mediaType.startsWith('multipart/')) headers.set('content-type', mediaType);
  return {
    url: input.at === undefined ? locate(baseUrl, operation, input) : within(baseUrl, input.at),
    method,
    headers,
    body: bodyOf(input.body, mediaType),
    isIdempotent: idempotent.has(method) || headers.has(idempotencyKey),
  };
}

function locate(baseUrl: string | URL, { path }: Operation, { path: parameters = {}, query }: Input): URL {
  const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => segment(name, parameters[name]));
  const url = new URL(String(baseUrl).replace(/\/+$/, '') + filled);
  for (const [name, value] of given(query)) url.searchParams.append(name, value);
  return url;
}

/** What a reply says may lead anywhere: a token is not carried there, nor to another service behind the same gateway. */
function within(baseUrl: string | URL, at: string | URL): URL {
  const base = new URL(`${String(baseUrl).replace(/\/+$/, '')}/`);
  const url = URL.parse(String(at), base.href);
  if (url === null || url.origin !== base.origin || !`${url.pathname}/`.startsWith(base.pathname)) {
    throw invalidArgument(`"${String(at)}" is not at ${base.origin}${base.pathname}.`);
  }
  return url;
}

/** A dot is a step in a path even when it is encoded: such an id would call another operation. */
function segment(name: string, value: unknown): string {
  const text = value === undefined ? '' : textOf(value);
  if (/^\.{0,2}$/.test(text)) throw invalidArgument(`The parameter "${name}" cannot be "${text}".`);
  return encodeURIComponent(text);
}

/** A list is sent as one pair for each of its values, as OpenAPI has it unless told. */
function given(values: Input['query'] = {}): [string, string][] {
  return Object.entries(values).flatMap(([name, value]) =>
    [value].flat().flatMap((each): [string, string][] => (each === undefined ? [] : [[name, textOf(each)]])),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function bodyOf(body: unknown, mediaType: string): Prepared['body'] {
  if (body === undefined) return null;
  // The contract's types let through only what `fetch` takes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return isJson(mediaType) ? JSON.stringify(body) : (body as Prepared['body']);
}
