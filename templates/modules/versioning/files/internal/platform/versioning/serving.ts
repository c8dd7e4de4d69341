import type { FastifyReply, FastifyRequest, RouteOptions, onRequestHookHandler, onSendHookHandler } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import type { Refuse } from '../http/problems/refuse.ts';
import { principalKey } from '../identity/module.ts';
import type { ApiVersions } from './apiVersions.ts';
import { endOf, setHeaders } from './headers.ts';
import type { Usage } from './metrics.ts';
import type { Operation } from './operation.ts';
import { refusalOf } from './refusal.ts';
import type { Fault, Strategy } from './strategy.ts';

export interface ServingOptions {
  readonly versions: ApiVersions;
  readonly strategy: Strategy;
  readonly usage: Usage;
  /** Answers in place of a handler. */
  readonly refuse: Refuse;
}

/** What happens to a request at a route that has versions: it is counted, told of their end, or refused. */
export class Serving {
  readonly #options: ServingOptions;

  /** @param options versions, how callers name them, and who hears of it */
  constructor(options: ServingOptions) {
    this.#options = options;
  }

  /**
   * For `onRoute`: routes without versions are left alone.
   * @param route as it is registered
   */
  readonly attach = (route: RouteOptions): void => {
    const { version } = route.config ?? {};
    if (version === undefined) return;
    const { number, operation } = version;
    const enter = number === undefined ? this.#turnAway(operation) : this.#enter(number, operation);
    route.onRequest = [enter, ...[route.onRequest ?? []].flat()];
    const tell = number === undefined ? undefined : this.#tell(number, operation);
    if (tell !== undefined) route.onSend = [tell, ...[route.onSend ?? []].flat()];
  };

  /** After the guards of the server, so that it is known who calls; before the body is read. */
  #enter(number: number, operation: Operation): onRequestHookHandler {
    const { strategy, usage } = this.#options;
    return (request, reply, done) => {
      const wanted = strategy.read(request, number);
      if ('reason' in wanted) return this.#refuse(request, reply, wanted, operation);
      if (wanted.isNamed && strategy.mediaType !== undefined) reply.type(strategy.mediaType(number));
      usage.used(number, current().get(principalKey));
      done();
    };
  }

  #turnAway(operation: Operation): onRequestHookHandler {
    const { strategy } = this.#options;
    // Never done: there is no handler worth going on to.
    return (request, reply, _done) => {
      const wanted = strategy.read(request);
      // A version that is served elsewhere, but lacks this resource.
      const fault: Fault =
        'reason' in wanted ? wanted : { reason: 'unknown', status: 404, named: String(wanted.version) };
      this.#refuse(request, reply, fault, operation);
    };
  }

  #refuse(request: FastifyRequest, reply: FastifyReply, fault: Fault, operation: Operation): void {
    const { versions, strategy, usage, refuse } = this.#options;
    usage.refused(fault.reason);
    setHeaders(
      reply,
      strategy,
      fault.reason === 'retired' ? endOf(versions, Number(fault.named), operation) : undefined,
    );
    refuse(request, reply, refusalOf(fault, [...operation.schemas.keys()]));
  }

  /** On replies of whatever kind, errors too; undefined when there is nothing to tell. */
  #tell(number: number, operation: Operation): onSendHookHandler | undefined {
    const { versions, strategy } = this.#options;
    const end = endOf(versions, number, operation);
    if (end === undefined && strategy.vary === undefined) return undefined;
    return (_request, reply, _payload, done) => {
      setHeaders(reply, strategy, end);
      done();
    };
  }
}
