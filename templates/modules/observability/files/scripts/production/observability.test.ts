import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checks } from './observability.ts';

function faults(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(path.join(os.tmpdir(), 'production-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
    return checks.flatMap(({ look }) => look(root) ?? []);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const ready = {
  'deploy/observability/alerts/http.yaml':
    '- alert: Burn\n  annotations:\n    runbook_url: docs/runbooks/burn.md#burn\n',
  'docs/runbooks/burn.md': '# Burn\n',
};

it('finds nothing in a service that is ready', () => {
  expect(faults(ready)).toEqual([]);
});

it.each([
  [{ 'deploy/observability/alerts/x.yaml': '- alert: X\n' }, 'a runbook_url in deploy/observability/alerts/x.yaml'],
  [
    { 'deploy/observability/alerts/x.yaml': '- alert: X\n  runbook_url: docs/runbooks/x.md\n' },
    'write docs/runbooks/x.md',
  ],
])('says what is to be done: %o', (files, fault) => {
  expect(faults({ ...ready, ...files })).toEqual([expect.stringContaining(fault)]);
});
