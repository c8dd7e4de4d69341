import type { FastifyReply } from 'fastify';
import type { RequestDurations } from '../../metrics/requests.ts';
import { problemOf } from '../problems/problem.ts';

/** The client has gone before it was answered: nginx's status, which nobody is ever sent. */
const clientClosedRequest = 499;

/** What becomes of each request: one line in the log and one observation. */
export class AccessLog {
  readonly #durations: RequestDurations;

  /** @param durations where each request is counted */
  constructor(durations: RequestDurations) {
    this.#durations = durations;
  }

  /** The client got a whole reply. */
  answered(reply: FastifyReply): void {
    reply.log.info(this.#measure(reply, reply.statusCode), 'request');
  }

  /** The client has left, before the reply or in the middle of it. That is no failure of the service. */
  abandoned(reply: FastifyReply): void {
    reply.log.info({ ...this.#measure(reply, clientClosedRequest), aborted: true }, 'request');
  }

  /**
   * The client was left without a whole reply. That is a failure, whatever status it was sent.
   * @param reply that was begun
   * @param error why
   */
  brokenOff(reply: FastifyReply, error: unknown): void {
    reply.log.error({ ...this.#measure(reply, problemOf(error).status), err: error }, 'request broken off');
  }

  #measure({ request, elapsedTime: ms }: FastifyReply, status: number): Record<string, unknown> {
    const { method, routeOptions, url } = request;
    const route = routeOptions.url ?? 'unmatched';
    // Not the query: people put tokens there.
    const [path] = url.split('?', 1);
    this.#durations.record(method, route, status, ms / 1000);
    return { method, route, path, status, ms };
  }
}
