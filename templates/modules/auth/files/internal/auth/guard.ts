import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeProtectedHeader } from 'jose';
import { about } from '../app/about.ts';
import type { Logger } from '../log/logger.ts';
import { bearerToken } from './bearer.ts';
import { Denial } from './denial.ts';
import type { AuthMetrics } from './metrics.ts';
import { type Needs, needsOf, permit } from './policy.ts';
import type { Principal } from './principal.ts';
import { KeysUnavailableError } from './remoteKeys.ts';
import type { Verify } from './verify.ts';

export interface GuardOptions {
  readonly verify: Verify;
  /** The longest token, in bytes. */
  readonly limit: number;
  /** Whether requests granted by scopes or roles are logged too. */
  readonly auditGranted: boolean;
  readonly log: Logger;
  readonly metrics: AuthMetrics;
}

/** A key id as it may stand in a log; what a token says that nobody signed is anybody's text. */
const plain = /^[\w.:-]{1,64}$/;

/** Decides who is let through, says so in the log and in the metrics, and tells the caller as RFC 6750 has it. */
export class Guard {
  readonly #options: GuardOptions;

  /** @param options how tokens are verified, and who hears of it */
  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** For `onRequest`: before a body is read. A path without a route is not protected; there is nothing. */
  readonly check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.is404) return;
    const needs = needsOf(request.routeOptions);
    if (needs === undefined) return;
    try {
      const principal = await this.#options.verify(bearerToken(request.raw, this.#options.limit));
      permit(principal, needs);
      request.principal = principal;
      this.#grant(request, principal, needs);
    } catch (error) {
      this.#refuse(request, reply, error);
    }
  };

  /**
   * For handlers, when what is needed depends on what is asked for.
   * @param request one that the guard has let through
   * @param reply to it
   * @param needs every scope of these, and one of these roles
   * @returns who asks
   * @throws {Denial} with status 401 on a public route, with 403 when something is missing
   */
  require(request: FastifyRequest, reply: FastifyReply, needs: Partial<Needs>): Principal {
    const all = { scopes: [], roles: [], ...needs };
    try {
      if (request.principal === undefined) throw new Denial('token_missing');
      permit(request.principal, all);
      this.#grant(request, request.principal, all);
      return request.principal;
    } catch (error) {
      return this.#refuse(request, reply, error);
    }
  }

  #grant(request: FastifyRequest, { subject, keyId }: Principal, { scopes, roles }: Needs): void {
    const { auditGranted, log, metrics } = this.#options;
    metrics.decisions.inc({ outcome: 'granted', reason: '' });
    if (!auditGranted || scopes.length + roles.length === 0) return;
    log.info({ ...whatOf(request), subject, keyId, scopes, roles }, 'request granted');
  }

  /** Sets the header that belongs to the refusal, and throws it on: the error handler makes the problem of it. */
  #refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): never {
    const { log, limit, metrics } = this.#options;
    if (error instanceof Denial) {
      const { reason, subject, status } = error;
      metrics.decisions.inc({ outcome: 'denied', reason });
      log.warn({ ...whatOf(request), status, reason, subject, keyId: keyIdOf(request, limit) }, 'request denied');
      reply.header('www-authenticate', error.challenge(about.name));
    } else {
      metrics.decisions.inc({ outcome: 'unavailable', reason: '' });
      if (error instanceof KeysUnavailableError) reply.header('retry-after', Math.ceil(error.waitMs / 1000) || 1);
    }
    throw error;
  }
}

function whatOf({ id, method, routeOptions }: FastifyRequest): Readonly<Record<string, unknown>> {
  return { requestId: id, method, route: routeOptions.url };
}

function keyIdOf(request: FastifyRequest, limit: number): string | undefined {
  if (request.principal !== undefined) return request.principal.keyId;
  const token = request.headers.authorization?.replace(/^bearer +/i, '') ?? '';
  if (token.length > limit) return undefined;
  try {
    const { kid } = decodeProtectedHeader(token);
    return typeof kid === 'string' && plain.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}
