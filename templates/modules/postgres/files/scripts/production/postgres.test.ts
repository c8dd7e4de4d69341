import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checks } from './postgres.ts';

const migration = 'internal/migrations/20261121_accounts.ts';
const slice = 'internal/accounts/module.ts';

it.each([
  [[], '', undefined],
  [[migration, slice], "import { accounts } from '../../internal/accounts/module.ts';", undefined],
  [[migration], '', `delete ${migration}, or list accounts in cmd/server/main.ts`],
  [[migration, slice], '', `delete internal/accounts and ${migration}, or list accounts in cmd/server/main.ts`],
])('finds the example when nothing uses it: %j, %j', (files, main, fault) => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'production-'));
  for (const file of [...files, 'cmd/server/main.ts']) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), main);
  }
  expect(checks.map(({ look }) => look(root))).toEqual([fault]);
  rmSync(root, { recursive: true });
});
