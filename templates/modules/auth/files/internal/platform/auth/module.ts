import { Counter } from '@prometheus-io/client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { defineModule } from '../app/module.ts';
import { ConfigError, type Fault, rule } from '../config/config.ts';
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
  rules: [rule(config, contradiction)],
  requires: [http, identity, metrics],
  async start({ config: settings, log, use }) {
    const { registry } = use(metrics);
    const trust = trustFrom(settings, (url) => {
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
const sources = ['AUTH_JWKS_URL', 'AUTH_JWKS', 'AUTH_JWKS_FILE'] as const;

/** Everything about the issuer is set, or nothing. Nothing means the local issuer, which does not exist in production. */
function contradiction(settings: Static<typeof config>, isProduction: boolean): Fault | undefined {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: url } = settings;
  const [source, another] = sources.filter((name) => settings[name] !== '');
  if (issuer === '' && audience === '' && source === undefined) {
    if (!isProduction) return undefined;
    return { variable: 'AUTH_ISSUER', expected: `${required}: there is no local issuer in production` };
  }
  if (issuer === '') return { variable: 'AUTH_ISSUER', expected: `the issuer of the tokens; set ${required} together` };
  if (audience === '') {
    return { variable: 'AUTH_AUDIENCE', expected: `the name of this API in tokens; set ${required} together` };
  }
  if (source === undefined || another !== undefined) {
    return {
      variable: another ?? 'AUTH_JWKS_URL',
      expected: 'exactly one of AUTH_JWKS_URL, AUTH_JWKS and AUTH_JWKS_FILE',
    };
  }
  if (source !== 'AUTH_JWKS_URL') return undefined;
  if (!URL.canParse(url)) return { variable: source, expected: 'a URL' };
  // An attacker on the network who changes the keys can forge every token.
  if (isProduction && !url.startsWith('https:')) return { variable: source, expected: 'an https URL in production' };
  return undefined;
}

/** Trusts the configured issuer or, when nothing is configured, the local one. */
function trustFrom(settings: Static<typeof config>, remote: (url: string) => Keys): Trust {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: url } = settings;
  const source = sources.find((name) => settings[name] !== '');
  if (source === undefined) {
    const keys = developmentKeys(settings.AUTH_DEVELOPMENT_DIR);
    return { issuer: development.issuer, audience: development.audience, algorithms: [development.algorithm], keys };
  }
  const algorithms = settings.AUTH_ALGORITHMS.split(',');
  if (source === 'AUTH_JWKS_URL') return { issuer, audience, algorithms, keys: remote(url) };
  try {
    const keys = source === 'AUTH_JWKS_FILE' ? fileKeys(settings[source]) : staticKeys(settings[source]);
    return { issuer, audience, algorithms, keys };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable';
    throw new ConfigError([{ variable: source, expected: `public keys as JSON (${reason})` }]);
  }
}
