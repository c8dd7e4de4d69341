import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Check } from '../production.ts';

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [
  { what: 'the example is gone', look: example },
  { what: 'resources are stored in a database', look: memory },
];

/** A manifest with the resource that a new service has, as long as nothing of it has changed. */
const WithExample = Type.Object({
  resources: Type.Object({
    item: Type.Object({ created: Type.Literal('20261121'), changes: Type.Optional(Type.Never()) }),
  }),
});

function example(root: string): string | undefined {
  const file = path.join(root, 'slipway.json');
  return existsSync(file) && Value.Check(WithExample, JSON.parse(readFileSync(file, 'utf8')))
    ? 'remove it: slipway resource item --remove; or make it yours: rename it, or change a field'
    : undefined;
}

function memory(root: string): string | undefined {
  const files = globSync('internal/*/storage.ts', { cwd: root }).toSorted();
  const found = files.filter((file) => readFileSync(path.join(root, file), 'utf8').includes('/resource/memory.ts'));
  return found.length === 0
    ? undefined
    : `entities, and the replies to requests with an Idempotency-Key, are lost at a restart: slipway add postgres replaces ${found.join(', ')}`;
}
