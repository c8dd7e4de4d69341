import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';
import { noTracing } from '../../internal/platform/app/tracing.ts';
import { config, testSettings } from '../../internal/platform/http/config.ts';
import { listen } from '../../internal/platform/http/connections.ts';
import { type Http, type HttpOptions, createHttp } from '../../internal/platform/http/server.ts';
import { readConfig } from '../../internal/platform/config/config.ts';
import { ErrorCounts, RequestDurations } from '../../internal/platform/metrics/module.ts';

/**
 * @param env settings beyond those of all tests
 * @param options logger and metrics; by default silent, and nobody's
 * @returns a server without routes, for `inject`
 */
export async function testHttp(
  env: Readonly<Record<string, string>> = {},
  options: Partial<HttpOptions> = {},
): Promise<Http> {
  return createHttp({
    config: readConfig(config, { ...testSettings, ...env }),
    log: pino({ level: 'silent' }),
    durations: new RequestDurations(),
    errors: new ErrorCounts(new Registry()),
    tracing: noTracing,
    ...options,
  });
}

/**
 * @param http a server with its routes, for clients of its own
 * @returns the port on which it now listens, on this machine only
 */
export async function listenLocally(http: Http): Promise<number> {
  await http.ready();
  return listen(http.server, '127.0.0.1', 0);
}
