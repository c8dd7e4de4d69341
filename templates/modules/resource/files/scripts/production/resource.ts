import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Check } from '../production.ts';

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [{ what: 'resources are stored in a database', look: memory }];

function memory(root: string): string | undefined {
  const files = globSync('internal/*/storage.ts', { cwd: root }).toSorted();
  const found = files.filter((file) => readFileSync(path.join(root, file), 'utf8').includes('/resource/memory.ts'));
  return found.length === 0
    ? undefined
    : `entities, and the replies to requests with an Idempotency-Key, are lost at a restart: slipway add postgres replaces ${found.join(', ')}`;
}
