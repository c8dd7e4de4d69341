import { pino } from 'pino';
import { Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { testSettings } from '../http/config.ts';
import { Service } from '../app/lifecycle.ts';
import { type Module, defineModule } from '../app/module.ts';
import { type Environment, readConfig } from '../config/config.ts';
import { http } from '../http/module.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import { type Metrics, metrics } from '../metrics/module.ts';
import { redis } from '../redis/module.ts';
import { tracing } from '../app/tracing.ts';
import { ratelimit } from './module.ts';

/** A service with limits, and routes of its own. */
export interface TestService {
  readonly http: Http;
  /** Base URL of the API. */
  readonly api: string;
  readonly metrics: Metrics;
  readonly service: Service;
  /** Its log, as text. */
  readonly log: { text: string };
}

/**
 * @param env settings
 * @param routes registers them
 * @returns the service, ready. The headers `test-user` and `test-tenant` stand for a token: there is no module for those here
 */
export async function testService(env: Environment, routes: (server: Http) => void): Promise<TestService> {
  const log = { text: '' };
  const { promise, resolve } = Promise.withResolvers<Pick<TestService, 'http' | 'metrics'>>();
  const slice = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: [http, metrics],
    start({ use }) {
      const server = use(http);
      // In a hook that comes after those of the limits, as that of a module may which starts later.
      server.addHook('onRequest', ({ headers }, _reply, done) => {
        const { 'test-user': subject, 'test-tenant': tenant } = headers;
        if (typeof subject === 'string') {
          const claims = { tenant_id: tenant };
          current().set(principalKey, {
            subject,
            claims,
            scopes: new Set<string>(),
            roles: new Set<string>(),
            expiresAt: Infinity,
          });
        }
        done();
      });
      routes(server);
      resolve({ http: server, metrics: use(metrics) });
      return { value: undefined };
    },
  });
  const settings: Environment = { ...testSettings, ...env };
  const modules: Module[] = [metrics, tracing, http, redis, slice, ratelimit];
  const service = new Service(modules, {
    log: pino({ base: null }, { write: (line) => (log.text += line) }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 120_000,
  });
  try {
    await service.start();
  } catch (error) {
    await service.stop(0, 1000);
    throw error;
  }
  const started = await promise;
  const address = started.http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { ...started, api: `http://127.0.0.1:${port}`, service, log };
}
