import { startModules } from '../../../test/support/modules.ts';
import type { Environment } from '../config/config.ts';
import { metrics } from '../metrics/module.ts';
import { postgres } from './module.ts';

/**
 * @param env settings that differ from their defaults
 * @returns a service of this module and what it requires
 */
export async function testService(env: Environment = {}) {
  const { value, ...started } = await startModules([metrics, postgres], env, (use) => ({
    database: use(postgres).tables<unknown>(),
    metrics: use(metrics),
  }));
  return { ...started, ...value };
}

export type TestService = Awaited<ReturnType<typeof testService>>;
