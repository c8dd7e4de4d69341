import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Check } from '../production.ts';

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [{ what: 'every alert has its runbook', look: runbooks }];

function runbooks(root: string): string | undefined {
  const missing = globSync('deploy/observability/alerts/*.yaml', { cwd: root })
    .toSorted()
    .flatMap((file) => {
      const text = readFileSync(path.join(root, file), 'utf8');
      const alerts = [...text.matchAll(/^ *- alert: /gm)].length;
      const pages = Array.from(text.matchAll(/^ *runbook_url: ([^\s#]+)/gm), ([, page = '']) => page);
      const gone = pages.filter((page) => !page.includes('://') && !existsSync(path.join(root, page)));
      return [...new Set(gone), ...(pages.length < alerts ? [`a runbook_url in ${file}`] : [])];
    });
  return missing.length === 0 ? undefined : `write ${missing.join(', ')}`;
}
