import type { Static } from 'typebox';
import { defineModule } from '../app/module.ts';
import { type Fault, rule } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Principal } from '../http/requestContext.ts';
import type { Http } from '../http/server.ts';
import { identity } from '../identity/module.ts';
import { metrics, scrapedGauge } from '../metrics/module.ts';
import { config } from './config.ts';
import { development, developmentKeys } from './development.ts';
import { Guard } from './guard.ts';
import { remoteKeys, staticKeys } from './keys.ts';
import { type RouteAuth, describeNeeds, permits } from './needs.ts';
import { type Trust, createVerifier } from './verify.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; by default anyone with a valid token. */
    auth?: RouteAuth;
  }
  interface FastifyRequest {
    /** The caller; undefined on public routes. */
    principal: Principal | undefined;
  }
}

/** Authentication of every route by bearer token, unless the route is public. */
export const auth = defineModule({
  name: 'auth',
  config,
  rules: [rule(config, contradiction)],
  requires: [http, identity, metrics],
  async start({ config: settings, log, use }) {
    const { registry } = use(metrics);
    const { AUTH_JWKS_URL: url, AUTH_JWKS: keySet } = settings;
    const remote = url === '' ? undefined : remoteKeys(url, log);
    const trust: Trust =
      remote === undefined && keySet === ''
        ? {
            ...development,
            algorithms: [development.algorithm],
            resolve: developmentKeys(settings.AUTH_DEVELOPMENT_DIR),
          }
        : {
            issuer: settings.AUTH_ISSUER,
            audience: settings.AUTH_AUDIENCE,
            algorithms: settings.AUTH_ALGORITHMS.split(','),
            resolve: remote?.resolve ?? staticKeys(keySet),
          };
    const guard = new Guard(createVerifier(trust, settings), log, registry);
    // Before the first await: modules that start at the same time register their routes meanwhile.
    protect(use(http), guard);
    use(identity).provide(guard.authenticate, permits);
    if (trust.issuer === development.issuer)
      log.warn('local issuer, for development: `npm run token` prints a token (set AUTH_ISSUER for a real one)');
    if (remote === undefined) return { value: undefined };
    const help = 'Seconds since the keys of the issuer were fetched; +Inf before the first time';
    scrapedGauge(registry, 'auth_jwks_age_seconds', help, remote.ageSeconds);
    await remote.open();
    return { value: undefined, health: remote.health, stop: remote.stop };
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

/** Everything about the issuer is set, or nothing. Nothing means the local issuer, which does not exist in production. */
function contradiction(settings: Static<typeof config>, isProduction: boolean): Fault | undefined {
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_URL: url, AUTH_JWKS: keySet } = settings;
  if (!isProduction && [issuer, audience, url, keySet].every((each) => each === '')) return undefined;
  const expected = 'AUTH_ISSUER, AUTH_AUDIENCE, and either AUTH_JWKS_URL or AUTH_JWKS';
  if (issuer === '') return { variable: 'AUTH_ISSUER', expected };
  if (audience === '') return { variable: 'AUTH_AUDIENCE', expected };
  if ((url === '') === (keySet === '')) return { variable: 'AUTH_JWKS_URL', expected };
  // An attacker on the network who changes the keys can forge every token.
  if (url !== '' && (!URL.canParse(url) || (isProduction && !url.startsWith('https:'))))
    return { variable: 'AUTH_JWKS_URL', expected: 'a URL, in production with https' };
  try {
    if (keySet !== '') staticKeys(keySet);
    return undefined;
  } catch {
    return { variable: 'AUTH_JWKS', expected: 'public keys as JSON: {"keys":[{"kty":...}, ...]}' };
  }
}
