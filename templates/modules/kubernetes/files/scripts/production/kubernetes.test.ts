import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checks } from './kubernetes.ts';

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

const ready = { 'deploy/k8s/base/deployment.yaml': 'terminationGracePeriodSeconds: 30\n' };

it('finds nothing in a service that is ready', () => {
  expect(faults(ready)).toEqual([]);
});

it.each([
  [
    { 'deploy/k8s/base/config.env': 'SHUTDOWN_TIMEOUT_MS=60000\n' },
    'SHUTDOWN_TIMEOUT_MS is 60000; raise terminationGracePeriodSeconds',
  ],
  [
    { 'deploy/k8s/base/deployment.yaml': 'terminationGracePeriodSeconds: 10\n' },
    'SHUTDOWN_TIMEOUT_MS is 20000; raise terminationGracePeriodSeconds',
  ],
])('says what is to be done: %o', (files, fault) => {
  expect(faults({ ...ready, ...files })).toEqual([expect.stringContaining(fault)]);
});
