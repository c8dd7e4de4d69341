import { startModules } from '../../../test/support/modules.ts';
import { current } from '../../../pkg/context/index.ts';
import { tracing } from '../app/tracing.ts';
import type { Environment } from '../config/config.ts';
import { testSettings } from '../http/config.ts';
import { http } from '../http/module.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Http } from '../http/server.ts';
import { metrics } from '../metrics/module.ts';
import { redis } from '../redis/module.ts';
import { ratelimit } from './module.ts';

/**
 * @param env settings
 * @param routes registers routes of the service
 * @returns a service with limits. The headers `test-user` and `test-tenant` stand for a token: there is no module for those here
 */
export async function testService(env: Environment, routes: (server: Http) => void) {
  const modules = [metrics, tracing, http, redis, ratelimit];
  const { value, ...started } = await startModules(modules, { ...testSettings, ...env }, (use) => {
    const server = use(http);
    // In a hook that comes after those of the limits, as that of a module may which starts later.
    server.addHook('onRequest', ({ headers }, _reply, done) => {
      const { 'test-user': subject, 'test-tenant': tenant } = headers;
      if (typeof subject === 'string') {
        const nothing = { scopes: new Set<string>(), roles: new Set<string>() };
        current().set(principalKey, { subject, claims: { tenant_id: tenant }, ...nothing, expiresAt: Infinity });
      }
      done();
    });
    routes(server);
    return { http: server, metrics: use(metrics) };
  });
  const address = value.http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { ...started, ...value, api: `http://127.0.0.1:${port}` };
}
