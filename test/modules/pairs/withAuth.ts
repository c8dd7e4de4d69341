import { pino } from 'pino';
import { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import type { Module } from '../../../templates/base/files/internal/platform/app/module.ts';
import { readConfig } from '../../../templates/base/files/internal/platform/config/config.ts';
import { testSettings } from '../../../templates/base/files/internal/platform/http/config.ts';
import {
  audience,
  issuer,
  type TestKey,
} from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';

/**
 * Starts a service that lets in whoever has a token of one key.
 * @param key that signs
 * @param modules of the service, auth among them
 * @param env beyond what auth and the API need
 * @returns the service, started
 */
export async function startWithAuth(
  key: TestKey,
  modules: readonly Module[],
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const settings = {
    ...testSettings,
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
    AUTH_ALGORITHMS: 'ES256',
    AUTH_JWKS: JSON.stringify({ keys: [key.publicJwk] }),
    ...env,
  };
  const service = new Service(modules, {
    log: pino({ level: 'silent' }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 10_000,
  });
  await service.start();
  return service;
}
