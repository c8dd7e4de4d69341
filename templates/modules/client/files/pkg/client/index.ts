import { type Client, type ClientOptions, clientOf } from './client.ts';
import type { paths } from './contract.gen.ts';

export { ServiceError } from '../errors/index.ts';
export { type CallOptions, type Client, type ClientOptions, ProblemReply } from './client.ts';
export type { components, operations, paths } from './contract.gen.ts';

/**
 * Makes a client of this service: that of openapi-fetch, typed by `api/openapi.json`. It runs in browsers too.
 * @param options where the service is, and how to call it
 * @returns a function for each HTTP method: `client.GET('/items/{id}', { params: { path: { id } } })`
 */
export function createClient<const Media extends string = 'application/json'>(
  options: ClientOptions<Media>,
): Client<paths, Media> {
  return clientOf<paths, Media>(options);
}
