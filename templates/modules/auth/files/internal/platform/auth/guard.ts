import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeProtectedHeader } from 'jose';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import type { Authenticate, Needs } from '../identity/module.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Logger } from '../log/logger.ts';
import { Denial } from './denial.ts';
import type { AuthMetrics } from './metrics.ts';
import { needsOf, permit } from './policy.ts';
import { type Bearer, type Verify, bearerToken, within } from './verify.ts';

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

/** What is asked for, as fields of a log line. */
type What = Readonly<Record<string, unknown>>;

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
    const { raw } = request;
    try {
      const token = (): string => bearerToken(raw, this.#options.limit);
      request.principal = await this.#decide(token, needs, whatOf(request));
      current().set(principalKey, request.principal);
    } catch (error) {
      challenge(reply, error);
      throw error;
    }
  };

  /** For what does not come as a request of HTTP. */
  readonly authenticate: Authenticate = (token, needs, what) =>
    this.#decide(() => within(this.#options.limit, token), needs, what);

  /**
   * For handlers, when what is needed depends on what is asked for.
   * @param request one that the guard has let through
   * @param reply to it
   * @param needs every scope of these, and one of these roles
   * @returns who asks
   * @throws {Denial} with status 401 on a public route, with 403 when something is missing
   */
  require(request: FastifyRequest, reply: FastifyReply, needs: Partial<Needs>): Bearer {
    const all = { scopes: [], roles: [], ...needs };
    const what = whatOf(request);
    const { principal } = request;
    try {
      if (principal === undefined) throw new Denial('token_missing');
      permit(principal, all);
      this.#granted(principal, all, what);
      return principal;
    } catch (error) {
      this.#denied(error, principal?.keyId, what);
      challenge(reply, error);
      throw error;
    }
  }

  async #decide(read: () => string, needs: Needs, what: What): Promise<Bearer> {
    let token: string | undefined;
    try {
      token = read();
      const principal = await this.#options.verify(token);
      permit(principal, needs);
      this.#granted(principal, needs, what);
      return principal;
    } catch (error) {
      this.#denied(error, token === undefined ? undefined : keyIdOf(token), what);
      throw error;
    }
  }

  #granted({ subject, keyId }: Bearer, { scopes, roles }: Needs, what: What): void {
    const { auditGranted, log, metrics } = this.#options;
    metrics.decisions.inc({ outcome: 'granted', reason: '' });
    if (!auditGranted || scopes.length + roles.length === 0) return;
    log.info({ ...what, subject, keyId, scopes, roles }, 'request granted');
  }

  #denied(error: unknown, keyId: string | undefined, what: What): void {
    const { log, metrics } = this.#options;
    if (!(error instanceof Denial)) {
      metrics.decisions.inc({ outcome: 'unavailable', reason: '' });
      return;
    }
    const { reason, subject, status } = error;
    metrics.decisions.inc({ outcome: 'denied', reason });
    log.warn({ ...what, status, reason, subject, keyId }, 'request denied');
  }
}

/** Sets the header that belongs to the refusal; the error handler makes the problem of it. */
function challenge(reply: FastifyReply, error: unknown): void {
  if (error instanceof Denial) reply.header('www-authenticate', error.challenge(about.name));
}

function whatOf({ id, method, routeOptions }: FastifyRequest): What {
  return { requestId: id, method, route: routeOptions.url };
}

function keyIdOf(token: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(token);
    return typeof kid === 'string' && plain.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}
