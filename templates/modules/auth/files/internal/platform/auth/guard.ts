import { Counter, type Registry } from '@prometheus-io/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { type Principal, principalKey } from '../http/requestContext.ts';
import { type Authenticate, type Needs, bearer, missingFrom } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import { needsOf } from './needs.ts';
import { Denial, type Verify } from './verify.ts';

/** Decides which requests are permitted, logs and counts the decisions, and answers as RFC 6750 says. */
export class Guard {
  readonly #verify: Verify;
  readonly #log: Logger;
  readonly #decisions: Counter<'outcome' | 'reason'>;

  /**
   * @param verify verifies a token
   * @param log gets a line for each denied request
   * @param registry gets the metric
   */
  constructor(verify: Verify, log: Logger, registry: Registry) {
    this.#verify = verify;
    this.#log = log;
    this.#decisions = new Counter({
      name: 'auth_decisions_total',
      help: 'Requests to routes that are not public, by decision and reason',
      labelNames: ['outcome', 'reason'],
      registers: [registry],
    });
  }

  /** For `onRequest`: it runs before the body is read. */
  readonly check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const needs = request.is404 ? undefined : needsOf(request.routeOptions);
    if (needs === undefined) return;
    const { id: requestId, method, routeOptions } = request;
    const what = { requestId, method, route: routeOptions.url };
    try {
      request.principal = await this.#decide(() => bearerToken(request), needs, what);
      current().set(principalKey, request.principal);
    } catch (error) {
      if (error instanceof Denial) reply.header('www-authenticate', `Bearer realm="${about.name}"${error.challenge}`);
      throw error;
    }
  };

  /** For tokens that do not come in a request of HTTP. */
  readonly authenticate: Authenticate = (token, needs, what) => this.#decide(() => token, needs, what);

  async #decide(
    read: () => string | undefined,
    needs: Needs,
    what: Readonly<Record<string, unknown>>,
  ): Promise<Principal> {
    try {
      const token = read();
      if (!token) throw new Denial('unauthenticated', 'token_missing');
      const principal = await this.#verify(token);
      const missing = missingFrom(principal, needs);
      const { subject } = principal;
      if (missing !== undefined) throw new Denial('insufficient_scope', missing, { subject, scopes: needs.scopes });
      this.#decisions.inc({ outcome: 'granted', reason: '' });
      return principal;
    } catch (error) {
      if (error instanceof Denial) {
        const { reason, subject, status } = error;
        this.#log.warn({ ...what, status, reason, subject }, 'request denied');
        this.#decisions.inc({ outcome: 'denied', reason });
      } else this.#decisions.inc({ outcome: 'unavailable', reason: '' });
      throw error;
    }
  }
}

/** Reads the token from the Authorization header only: a token in a URL gets into logs and histories (RFC 6750, 5.3). */
function bearerToken({ headers: { authorization = '' }, raw }: FastifyRequest): string | undefined {
  // Node keeps the first of several equal headers and drops the others. A proxy may have checked another one.
  const names = raw.rawHeaders.filter((_text, index) => index % 2 === 0);
  if (names.filter((name) => name.toLowerCase() === 'authorization').length > 1)
    throw new Denial('invalid_request', 'header_repeated');
  if (!/^bearer( |$)/i.test(authorization)) return undefined;
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) throw new Denial('invalid_request', 'header_malformed');
  return token;
}
