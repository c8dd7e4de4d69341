import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Check } from '../production.ts';

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [{ what: 'the API is served by TLS only', look: plain }];

function plain(root: string): string | undefined {
  const isPlain = (file: string): boolean =>
    /\bTLS_ONLY[=:] *["']?false/.test(readFileSync(path.join(root, file), 'utf8'));
  const found = globSync('deploy/k8s/**/*.{env,yaml}', { cwd: root }).filter(isPlain).toSorted();
  if (found.length === 0) return undefined;
  return `set TLS_ONLY=true in ${found.join(', ')} when no client uses port 80 any more: docs/tls.md`;
}
