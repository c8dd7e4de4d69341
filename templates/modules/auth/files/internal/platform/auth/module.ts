import { Counter } from '@prometheus-io/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { defineModule } from '../app/module.ts';
import { ConfigError } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { identity, type Needs } from '../identity/module.ts';
import { metrics, scrapedGauge } from '../metrics/module.ts';
import { config } from './config.ts';
import { development, developmentKeys } from './development.ts';
import { Guard } from './guard.ts';
import { type Keys, fileKeys, remoteKeys, staticKeys } from './keys.ts';
import { type RouteAuth, describeNeeds, permits } from './needs.ts';
import { type Bearer, type Trust, createVerifier } from './verify.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; by default anyone with a valid token. */
    auth?: RouteAuth;
  }
  interface FastifyRequest {
    /** The caller; undefined on public routes. */
    principal: Bearer | undefined;
  }
}

/** What `use(auth)` gives. */
export interface Auth {
  /** Checks further needs within a handler; `Guard.require`. */
  readonly require: (request: FastifyRequest, reply: FastifyReply, needs: Partial<Needs>) => Bearer;
}

/** Authentication of every route by bearer token, unless the route is public. */
export const auth = defineModule({
  name: 'auth',
  config,
  requires: [http, identity, metrics],
  async start({ config: settings, log, use }) {
    const { registry } = use(metrics);
    const trust = trustFrom(settings, process.env['NODE_ENV'] === 'production', (url) => {
      const fetches = new Counter({
        name: 'auth_jwks_fetches_total',
        help: 'Fetches of the keys of the issuer, by outcome',
        labelNames: ['outcome'],
        registers: [registry],
      });
      const { AUTH_JWKS_REFRESH_MS: refreshMs, AUTH_JWKS_STALE_MS: staleMs } = settings;
      const fetched = (outcome: string) => fetches.inc({ outcome });
      const keys = remoteKeys({ url, timeoutMs: 3000, refreshMs, staleMs, log, fetched });
      const help = 'Seconds since the keys of the issuer were fetched; +Inf before the first time';
      scrapedGauge(registry, 'auth_jwks_age_seconds', help, () => keys.ageSeconds());
      return keys;
    });
    const verify = createVerifier(trust, settings);
    const guard = new Guard({ verify, auditGranted: settings.AUTH_AUDIT_GRANTED, log, registry });
    // Before the first await: modules that start at the same time register their routes meanwhile.
    protect(use(http), guard);
    use(identity).provide(guard.authenticate, permits);
    await trust.keys.open?.();
    if (trust.issuer === development.issuer)
      log.warn('local issuer, for development: `npm run token` prints a token (set AUTH_ISSUER for a real one)');
    const value: Auth = { require: (request, reply, needs) => guard.require(request, reply, needs) };
    const { resolve: _resolve, open: _open, ...running } = trust.keys;
    return { value, ...running };
  },
});

/**
 * @param server whose routes are protected, including those that are registered later
 * @param guard decides
 */
export function protect(server: Http, guard: Guard): void {
  server.decorateRequest('principal');
  server.addHook('onRoute', describeNeeds);
  server.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: guard.check });
}

const required = 'AUTH_ISSUER, AUTH_AUDIENCE and one of AUTH_JWKS_URL, AUTH_JWKS and AUTH_JWKS_FILE';

/** Trusts the configured issuer or, when nothing is configured, the local one; never the local one in production. */
function trustFrom(settings: Static<typeof config>, production: boolean, remote: (url: string) => Keys): Trust {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: url } = settings;
  const sources = (['AUTH_JWKS_URL', 'AUTH_JWKS', 'AUTH_JWKS_FILE'] as const).filter((name) => settings[name] !== '');
  if (issuer === '' && audience === '' && sources.length === 0) {
    if (production) fail('AUTH_ISSUER', `${required}: there is no local issuer in production`);
    const keys = developmentKeys(settings.AUTH_DEVELOPMENT_DIR);
    return { issuer: development.issuer, audience: development.audience, algorithms: [development.algorithm], keys };
  }
  if (issuer === '') fail('AUTH_ISSUER', `the issuer of the tokens; set ${required} together`);
  if (audience === '') fail('AUTH_AUDIENCE', `the name of this API in tokens; set ${required} together`);
  const [source, another] = sources;
  if (source === undefined || another !== undefined) {
    fail(another ?? 'AUTH_JWKS_URL', 'exactly one of AUTH_JWKS_URL, AUTH_JWKS and AUTH_JWKS_FILE');
  }
  const algorithms = settings.AUTH_ALGORITHMS.split(',');
  if (source === 'AUTH_JWKS_URL') {
    if (!URL.canParse(url)) fail(source, 'a URL');
    // An attacker on the network who changes the keys can forge every token.
    if (production && !url.startsWith('https:')) fail(source, 'an https URL in production');
    return { issuer, audience, algorithms, keys: remote(url) };
  }
  try {
    const keys = source === 'AUTH_JWKS_FILE' ? fileKeys(settings[source]) : staticKeys(settings[source]);
    return { issuer, audience, algorithms, keys };
  } catch (error) {
    return fail(source, `public keys as JSON (${error instanceof Error ? error.message : 'unreadable'})`);
  }
}

function fail(variable: string, expected: string): never {
  throw new ConfigError([{ variable, expected }]);
}
