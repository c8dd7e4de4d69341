import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { checks } from './tls.ts';

it.each([
  ['deploy/k8s/base/config.env', 'TLS_ONLY=true\n', /^$/],
  ['deploy/k8s/base/config.env', 'PORT=8080\nTLS_ONLY=false\n', /set TLS_ONLY=true in deploy\/k8s\/base\/config\.env/],
  ['deploy/k8s/overlays/prod/kustomization.yaml', '      - TLS_ONLY=false\n', /overlays\/prod\/kustomization\.yaml/],
])('finds where plain HTTP is accepted: %s, %j', (file, text, fault) => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'production-'));
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
  expect(checks.map(({ look }) => look(root) ?? '').join()).toMatch(fault);
  rmSync(root, { recursive: true });
});
