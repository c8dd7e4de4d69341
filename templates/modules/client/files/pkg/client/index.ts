import { type Client, type ClientOptions, clientOf } from './client.ts';
import { type Operations, operations } from './contract.gen.ts';

export { ServiceError } from '../errors/index.ts';
export { type BeginCall, type Call, directCalls } from './call.ts';
export { type CallOptions, type Client, type ClientOptions, clientOf } from './client.ts';
export type * from './contract.gen.ts';
export { type ProblemDetails, ProblemReply } from './problem.ts';
export type { Answer } from './reply.ts';
export type { RetryPolicy } from './retry.ts';

/**
 * Makes a client of this service, from its contract `api/openapi.json`. It runs in browsers too: it imports nothing of Node's.
 * @param options where the service is, and how it is called
 * @returns a function for each operation
 */
export function createClient<const Media extends string = never>(
  options: ClientOptions<Media>,
): Client<Operations, Media> {
  return clientOf<Operations, Media>(operations, options);
}
