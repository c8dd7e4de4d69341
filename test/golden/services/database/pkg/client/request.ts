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
/** RFC 9110, 9.2.2; what is safe is idempotent too. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/**
 * @param baseUrl of the service; a path in it stays
 * @param operation what is called
 * @param input parameters and body
 * @returns the request; an operation that takes an Idempotency-Key gets one, unless the caller has chosen it
 * @throws {ServiceError} 400 when a parameter of the path is missing, empty or would lead elsewhere
 */
export function prepare(baseUrl: string | URL, operation: Operation, input: Input): Prepared {
  const { method, mediaType = 'application/json', takesIdempotencyKey = false } = operation;
  const headers = new Headers({ accept: 'application/json, application/problem+json, */*;q=0.1' });
  for (const [name, value] of given(input.headers)) headers.set(name, value);
  if (takesIdempotencyKey && !headers.has(idempotencyKey)) headers.set(idempotencyKey, crypto.randomUUID());
  if (input.body !== undefined && !mediaType.startsWith('multipart/')) headers.set('content-type', mediaType);
  return {
    url: locate(baseUrl, operation, input),
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
