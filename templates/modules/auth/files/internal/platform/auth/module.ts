import type { FastifyReply, FastifyRequest } from 'fastify';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { identity, type Needs } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { config } from './config.ts';
import { Guard } from './guard.ts';
import { createMetrics, registerKeyAge } from './metrics.ts';
import { remoteKeys } from './keys.ts';
import { type RouteAuth, describeNeeds, permits } from './policy.ts';
import { trustFrom } from './trust.ts';
import { type Bearer, createVerifier } from './verify.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; without it, whoever has a valid token. */
    auth?: RouteAuth;
  }
  interface FastifyRequest {
    /** Who sends the request; undefined on public routes. */
    principal: Bearer | undefined;
  }
}

/** What the module gives to those that require it. */
export interface Auth {
  /** Asks for more within a handler; `Guard.require`. */
  readonly require: (request: FastifyRequest, reply: FastifyReply, needs: Partial<Needs>) => Bearer;
}

/** Authentication of every route by bearer token, unless the route says that it is public. */
export const auth = defineModule({
  name: 'auth',
  config,
  requires: [http, identity, metrics],
  async start({ config: settings, log, use }) {
    const { registry } = use(metrics);
    const measured = createMetrics(registry);
    const trust = trustFrom(settings, process.env['NODE_ENV'] === 'production', (url) => {
      const keys = remoteKeys({
        url,
        timeoutMs: settings.AUTH_JWKS_TIMEOUT_MS,
        refreshMs: settings.AUTH_JWKS_REFRESH_MS,
        cooldownMs: settings.AUTH_JWKS_COOLDOWN_MS,
        staleMs: settings.AUTH_JWKS_STALE_MS,
        log,
        fetched: (outcome) => measured.fetches.inc({ outcome }),
      });
      registerKeyAge(registry, keys.ageSeconds);
      return keys;
    });
    const guard = new Guard({
      verify: createVerifier(trust, settings),
      limit: settings.AUTH_JWT_LIMIT_BYTES,
      auditGranted: settings.AUTH_AUDIT_GRANTED,
      log,
      metrics: measured,
    });
    // Before anything is waited for: modules that start beside this one register their routes meanwhile.
    protect(use(http), guard);
    use(identity).provide(guard.authenticate, permits);
    await trust.keys.open();
    if (trust.local)
      log.warn('local issuer, for development: `npm run token` prints a token (set AUTH_ISSUER for a real one)');
    const value: Auth = { require: (request, reply, needs) => guard.require(request, reply, needs) };
    const { health, reload, stop } = trust.keys;
    return { value, health, stop, ...(reload && { reload }) };
  },
});

/**
 * @param server whose routes are protected, those that it has and those to come
 * @param guard who decides
 */
export function protect(server: Http, guard: Guard): void {
  server.decorateRequest('principal');
  server.addHook('onRoute', describeNeeds);
  server.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: guard.check });
}
