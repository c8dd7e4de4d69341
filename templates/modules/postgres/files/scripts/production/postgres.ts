import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Check } from '../production.ts';

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [{ what: 'the database gets no example tables', look: example }];

function example(root: string): string | undefined {
  const isUsed = readFileSync(path.join(root, 'cmd/server/main.ts'), 'utf8').includes('/accounts/');
  const leftovers = ['internal/accounts', 'internal/migrations/20261121_accounts.ts'];
  const found = leftovers.filter((file) => existsSync(path.join(root, file)));
  return isUsed || found.length === 0
    ? undefined
    : `delete ${found.join(' and ')}, or list accounts in cmd/server/main.ts`;
}
