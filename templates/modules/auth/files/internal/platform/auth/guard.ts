import { Counter, type Registry } from '@prometheus-io/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeProtectedHeader } from 'jose';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { principalKey } from '../http/requestContext.ts';
import { type Authenticate, type Needs, bearer, isRepeated, missingFrom } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import { needsOf } from './needs.ts';
import { type Bearer, Denial, type Verify } from './verify.ts';

export interface GuardOptions {
  readonly verify: Verify;
  /** Whether requests that scopes or roles permit are logged too. */
  readonly auditGranted: boolean;
  readonly log: Logger;
  /** Gets the metric. */
  readonly registry: Registry;
}

/** A key id that may be logged: the token that names it may be anybody's text. */
const plain = /^[\w.:-]{1,64}$/;

/** What is requested, as fields of a log line. */
type What = Readonly<Record<string, unknown>>;

/** Decides which requests are permitted, logs and counts the decisions, and answers as RFC 6750 says. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #decisions: Counter<'outcome' | 'reason'>;

  /** @param options how tokens are verified, log and registry */
  constructor(options: GuardOptions) {
    this.#options = options;
    this.#decisions = new Counter({
      name: 'auth_decisions_total',
      help: 'Requests to routes that are not public, by decision and reason',
      labelNames: ['outcome', 'reason'],
      registers: [options.registry],
    });
  }

  /** For `onRequest`: it runs before the body is read. */
  readonly check = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const needs = request.is404 ? undefined : needsOf(request.routeOptions);
    if (needs === undefined) return;
    try {
      request.principal = await this.#decide(() => bearerToken(request), needs, whatOf(request));
      current().set(principalKey, request.principal);
    } catch (error) {
      challenge(reply, error);
      throw error;
    }
  };

  /** For tokens that do not come in a request of HTTP. */
  readonly authenticate: Authenticate = (token, needs, what) => this.#decide(() => token, needs, what);

  /**
   * For handlers, when the needs depend on the data.
   * @param request one that `check` has permitted
   * @param reply to it
   * @param needs all of these scopes, and one of these roles
   * @returns the caller
   * @throws {Denial} with status 401 on a public route, with 403 when something is missing
   */
  require(request: FastifyRequest, reply: FastifyReply, needs: Partial<Needs>): Bearer {
    const { principal } = request;
    const what = whatOf(request);
    try {
      if (principal === undefined) throw new Denial('token_missing');
      return this.#permit(principal, { scopes: [], roles: [], ...needs }, what);
    } catch (error) {
      this.#denied(error, principal?.keyId, what);
      challenge(reply, error);
      throw error;
    }
  }

  async #decide(read: () => string | undefined, needs: Needs, what: What): Promise<Bearer> {
    let token: string | undefined;
    try {
      token = read();
      return this.#permit(await this.#options.verify(token), needs, what);
    } catch (error) {
      this.#denied(error, token && keyIdOf(token), what);
      throw error;
    }
  }

  #permit(principal: Bearer, needs: Needs, what: What): Bearer {
    const { subject, keyId } = principal;
    const { scopes, roles } = needs;
    const missing = missingFrom(principal, needs);
    if (missing !== undefined) throw new Denial(missing, undefined, subject, scopes);
    this.#decisions.inc({ outcome: 'granted', reason: '' });
    if (this.#options.auditGranted && scopes.length + roles.length > 0) {
      this.#options.log.info({ ...what, subject, keyId, scopes, roles }, 'request granted');
    }
    return principal;
  }

  #denied(error: unknown, keyId: string | undefined, what: What): void {
    if (!(error instanceof Denial)) {
      this.#decisions.inc({ outcome: 'unavailable', reason: '' });
      return;
    }
    const { reason, subject, status } = error;
    this.#decisions.inc({ outcome: 'denied', reason });
    this.#options.log.warn({ ...what, status, reason, subject, keyId }, 'request denied');
  }
}

/** Reads the token from the Authorization header only: a token in a URL gets into logs and histories (RFC 6750, 5.3). */
function bearerToken({ headers: { authorization }, raw }: FastifyRequest): string {
  if (authorization === undefined) throw new Denial('token_missing');
  if (isRepeated(raw.rawHeaders, 'authorization')) throw new Denial('header_repeated');
  if (!/^bearer( |$)/i.test(authorization)) throw new Denial('token_missing');
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) throw new Denial('header_malformed');
  return token;
}

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
