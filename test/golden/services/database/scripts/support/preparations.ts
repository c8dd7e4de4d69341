import { glob } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { root } from './service.ts';

/** What the smoke test has seen of the service. */
export interface Seen {
  /** Of a request that was answered by 404. */
  readonly traceId: string;
  /** `/metrics` after it, as OpenMetrics. */
  readonly openMetrics: string;
}

const Texts = Type.Record(Type.String(), Type.String());
const Preparation = Type.Object({
  env: Type.Optional(Texts),
  headers: Type.Optional(Texts),
  verify: Type.Optional(Type.Unsafe<(seen: Seen) => Promise<void>>({})),
});

/** What all modules together bring to the smoke test. */
export interface Preparations {
  readonly env: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly verify: (seen: Seen) => Promise<void>;
}

/**
 * Collects what modules bring to the smoke test, a file each in `scripts/smoke/`. It may export `env`, settings so that the module runs here
 * as in production; `headers`, for requests to routes that are not public; and `verify`, which throws when what was seen is wrong.
 * @returns all of them together; `verify` is to be called once the service has stopped
 */
export async function preparations(): Promise<Preparations> {
  const all: Static<typeof Preparation>[] = [];
  for await (const file of glob('scripts/smoke/*.ts', { cwd: root })) {
    all.push(Value.Parse(Preparation, { ...(await import(pathToFileURL(path.join(root, file)).href)) }));
  }
  return {
    env: Object.fromEntries(all.flatMap(({ env = {} }) => Object.entries(env))),
    headers: Object.fromEntries(all.flatMap(({ headers = {} }) => Object.entries(headers))),
    async verify(seen) {
      for (const { verify } of all) await verify?.(seen);
    },
  };
}
