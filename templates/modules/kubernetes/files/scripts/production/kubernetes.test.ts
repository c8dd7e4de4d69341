import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
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

/** An overlay on a base of a Deployment and its ConfigMap. */
function overlay(name: string, ...literals: string[]): Record<string, string> {
  const patch = literals.length === 0 ? '' : `, literals: [${literals.join(', ')}]`;
  return {
    'deploy/k8s/base/deployment.yaml': [
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata: { name: orders }',
      'spec:',
      '  template:',
      '    spec:',
      '      terminationGracePeriodSeconds: 90',
      '      containers:',
      '        - name: server',
      '          envFrom: [{ configMapRef: { name: orders-config } }, { secretRef: { name: orders-secrets } }]',
      '          env: [{ name: HTTP_DEADLINE_MAX_MS, value: "90000" }]',
    ].join('\n'),
    'deploy/k8s/base/config.env': 'LOG_LEVEL=info\nSHUTDOWN_DELAY_MS=5000\n',
    'deploy/k8s/base/kustomization.yaml':
      'resources: [deployment.yaml]\nconfigMapGenerator: [{ name: orders-config, envs: [config.env] }]\n',
    [`deploy/k8s/overlays/${name}/kustomization.yaml`]: [
      'resources: [../../base]',
      `configMapGenerator: [{ name: orders-config, behavior: merge${patch} }]`,
    ].join('\n'),
  };
}

/** Each overlay is rendered by kubectl, which takes a second on a busy machine. */
describe.runIf(spawnSync('kubectl', ['version', '--client']).status === 0)('each overlay (needs kubectl)', () => {
  it('is given to the checks of the start, and is named with each variable that they refuse', () => {
    // Modules have settings of their own: only those of the base are in every service.
    const named = (files: Readonly<Record<string, string>>): string[] =>
      faults(files)
        .flatMap((fault) => fault.split('\n    '))
        .filter((line) => /: (?:LOG_LEVEL|SHUTDOWN_DELAY_MS|HTTP_DEADLINE_MS): /.test(line));
    const staging = overlay('staging', 'HTTP_DEADLINE_MS=80000', '"LOG_LEVEL=debug"');
    expect(named(staging)).toEqual([]);
    const prod = overlay('prod', 'LOG_LEVEL=loud', 'SHUTDOWN_DELAY_MS=20000', 'HTTP_DEADLINE_MS=95000');
    expect(named({ ...staging, ...prod })).toEqual([
      'deploy/k8s/overlays/prod: LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud" (for example info)',
      'deploy/k8s/overlays/prod: SHUTDOWN_DELAY_MS: expected less than SHUTDOWN_TIMEOUT_MS, which is 20000, got "20000" (for example 19999)',
      'deploy/k8s/overlays/prod: HTTP_DEADLINE_MS: expected at most HTTP_DEADLINE_MAX_MS, which is 90000, got "95000" (for example 90000)',
    ]);
  });

  it('is named when it cannot be rendered', () => {
    const broken = { ...overlay('prod'), 'deploy/k8s/overlays/prod/kustomization.yaml': 'resources: [../../lost]\n' };
    expect(faults(broken)).toEqual([expect.stringMatching(/^\s+deploy\/k8s\/overlays\/prod: .*lost/s)]);
  });
});
