import { LogController, type FastifyReply, type FastifyRequest } from 'fastify';
import type { RequestDurations } from '../metrics/requests.ts';
import type { Requests } from './requests.ts';

/** Takes the end of each request once: one line in the log and one observation, in place of Fastify's two lines. */
export class RequestLog extends LogController {
  readonly #durations: RequestDurations;
  readonly #requests: Requests;

  /**
   * @param durations where each request is counted
   * @param requests those of the server
   */
  constructor(durations: RequestDurations, requests: Requests) {
    super();
    this.#durations = durations;
    this.#requests = requests;
  }

  override incomingRequest(): void {
    // The line at the end says all of it.
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const { method, routeOptions, url } = request;
    const { elapsedTime: ms, statusCode: status } = reply;
    const route = routeOptions.url ?? 'unmatched';
    // Not the query: people put tokens there.
    const [path] = url.split('?', 1);
    this.#durations.record(method, route, status, ms / 1000);
    this.#requests.answered(request.raw);
    if (error) request.log.error({ method, route, path, status, ms, err: error }, 'request broken off');
    else request.log.info({ method, route, path, status, ms }, 'request');
  }
}
