import { glob } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { root } from './service.ts';

const Texts = Type.Record(Type.String(), Type.String());
const Preparation = Type.Object({ env: Texts, headers: Texts });

/**
 * Collects what modules need so that the service runs here as in production: a file each in `scripts/smoke/`, which exports
 * `env`, settings, and `headers`, for requests to routes that are not public.
 * @returns all of them together
 */
export async function preparations(): Promise<{ env: Record<string, string>; headers: Record<string, string> }> {
  const all = { env: {}, headers: {} };
  for await (const file of glob('scripts/smoke/*.ts', { cwd: root })) {
    const { env, headers } = Value.Parse(Preparation, { ...(await import(pathToFileURL(path.join(root, file)).href)) });
    Object.assign(all.env, env);
    Object.assign(all.headers, headers);
  }
  return all;
}
