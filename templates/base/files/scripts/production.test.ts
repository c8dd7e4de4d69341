import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ownChecks } from './production.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const ready = {
  '.gitignore': '',
  'package-lock.json': '{}',
  'cmd/server/main.ts': "import { orders } from '../../internal/orders/module.ts';\n",
  'deploy/argocd/source.yaml': 'repoURL: https://git.example.com/orders.git\n',
};

/** A service in a repository of its own, everything in it committed but what git is told to ignore. */
function service(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(path.join(os.tmpdir(), 'production-'));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  for (const args of [
    ['init', '--quiet'],
    ['add', '--all'],
  ])
    spawnSync('git', args, { cwd: root });
  return root;
}

function faults(files: Readonly<Record<string, string>>): string[] {
  const root = service({ ...ready, ...files });
  return ownChecks.flatMap(({ look }) => look(root) ?? []);
}

describe('the checks before the first release', () => {
  it('find nothing in a service that is ready', () => {
    expect(faults({})).toEqual([]);
  });

  it.each([
    [
      { 'deploy/k8s/overlays/prod/kustomization.yaml': 'newName: registry.invalid/orders\n' },
      /\.invalid in deploy\/k8s\/overlays\/prod\/kustomization\.yaml/,
    ],
    [{ '.gitignore': 'package-lock.json\n' }, /commit package-lock\.json/],
    [{ '.env': 'SECRET=1\n' }, /git rm --cached \.env/],
  ])('name what is to be done: %o', (files, fault) => {
    expect(faults(files)).toEqual([expect.stringMatching(fault)]);
  });
});
