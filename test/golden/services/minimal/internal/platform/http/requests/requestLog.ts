import { LogController, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Requests } from './requests.ts';

/** Hears from Fastify of the end of each request, in place of the lines that Fastify would write. */
export class RequestLog extends LogController {
  readonly #requests: Requests;

  /** @param requests those of the server */
  constructor(requests: Requests) {
    super();
    this.#requests = requests;
  }

  override incomingRequest(): void {
    // The line at the end says all of it.
  }

  override requestCompleted(error: Error | null | undefined, _request: FastifyRequest, reply: FastifyReply): void {
    if (error) this.#requests.brokenOff(reply, error);
    else this.#requests.answered(reply);
  }

  override streamError(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
    // When the connection is closed already, the error tells of that and not of the stream.
    if (!reply.raw.closed) this.#requests.brokenOff(reply, error);
  }
}
