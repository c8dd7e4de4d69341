import { pino } from 'pino';
import { Type } from 'typebox';
import { Service } from '../../internal/platform/app/lifecycle.ts';
import { type Module, type ModuleContext, defineModule } from '../../internal/platform/app/module.ts';
import { checkConfig, type Environment, readConfig } from '../../internal/platform/config/config.ts';

/** A service of a test. */
export interface Started<Value> {
  readonly service: Service;
  /** Its log, as text. */
  readonly log: { text: string };
  /** What the slice returned. */
  readonly value: Value;
}

/**
 * Starts modules as a service does.
 * @param modules all of the service
 * @param env settings that differ from their defaults
 * @param slice the code of the service that uses them, such as routes
 * @returns the service, ready
 */
export async function startModules<Value>(
  modules: readonly Module[],
  env: Environment,
  slice: (use: ModuleContext<object>['use']) => Value,
): Promise<Started<Value>> {
  const log = { text: '' };
  const { promise: value, resolve } = Promise.withResolvers<Value>();
  const own = defineModule({
    name: 'slice',
    config: Type.Object({}),
    requires: modules,
    start({ use }) {
      resolve(slice(use));
      return { value: undefined };
    },
  });
  const rules = modules.flatMap((module) => module.rules ?? []);
  checkConfig(
    modules.map(({ config }) => config),
    env,
    rules,
  );
  const service = new Service([...modules, own], {
    log: pino({ base: null }, { write: (line) => (log.text += line) }),
    configOf: (module) => readConfig(module.config, env),
    startTimeoutMs: 120_000,
  });
  try {
    await service.start();
  } catch (error) {
    await service.stop(0, 1000);
    throw error;
  }
  return { service, log, value: await value };
}
