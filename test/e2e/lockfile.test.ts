import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { offeredModules } from '../helpers/offeredModules.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-lockfile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// As npm is set up for most users: it records the addresses of what it adds.
const env = { PATH: inject('hostPath'), NODE_OPTIONS: '', npm_config_omit_lockfile_registry_resolved: 'false' };
const program = path.join(inject('installed'), 'node_modules/create-slipway/dist/slipway.cjs');
const run = async (cwd: string, ...commands: string[]): Promise<void> => {
  for (const command of commands) await execa(command, { cwd, env, shell: true });
};

const managers = {
  npm: {
    file: 'package-lock.json',
    // The first refuses a lockfile that lacks something; the second writes it again.
    examine: [
      'npm ci --ignore-scripts --no-audit --dry-run',
      'npm install --package-lock-only --ignore-scripts --no-audit',
    ],
    install: ['npm ci --no-audit', 'npm install --no-audit'],
    addOwn: 'npm install --package-lock-only --no-audit is-odd@3.0.1',
  },
  pnpm: {
    file: 'pnpm-lock.yaml',
    examine: ['pnpm install --frozen-lockfile --lockfile-only', 'pnpm install --no-frozen-lockfile --lockfile-only'],
    install: ['pnpm install --frozen-lockfile', 'pnpm install'],
    addOwn: 'pnpm add --lockfile-only is-odd@3.0.1',
  },
  yarn: {
    file: 'yarn.lock',
    examine: ['yarn install --no-immutable --mode=update-lockfile'],
    install: ['yarn install --immutable', 'yarn install --no-immutable'],
    addOwn: 'yarn add --mode=update-lockfile is-odd@3.0.1',
  },
  bun: {
    file: 'bun.lock',
    examine: ['bun install --frozen-lockfile --lockfile-only', 'bun install --lockfile-only'],
    install: ['bun install --frozen-lockfile', 'bun install'],
    addOwn: 'bun add --lockfile-only is-odd@3.0.1',
  },
} as const;

describe.each(Object.entries(managers))('the lockfile of a service that uses %s', (manager, { file, ...commands }) => {
  const create = async (name: string, ...flags: string[]): Promise<string> => {
    const args = [program, 'new', name, '--yes', '--no-git', '--no-install', `--package-manager=${manager}`, ...flags];
    await execa('node', args, { cwd: folder, env });
    return path.join(folder, name);
  };
  const read = (service: string): string => readFileSync(path.join(service, file), 'utf8');

  it.each([
    ['minimal', '--preset=minimal'],
    ['everything', `--modules=${offeredModules.join(',')}`, '--pin-node'],
  ])('with the modules of %s is what it would write itself', async (name, ...flags) => {
    const service = await create(`${manager}-${name}`, ...flags);
    const composed = read(service);
    await run(service, ...commands.examine);
    expect(read(service)).toBe(composed);
  });

  it('is installed from, and not changed by that; a module comes and goes beside the user’s own packages', async () => {
    const service = await create(`${manager}-default`);
    const composed = read(service);
    await run(service, ...commands.install);
    expect(read(service)).toBe(composed);

    await run(service, commands.addOwn);
    const own = read(service);
    expect(own).not.toBe(composed);
    await execa('node', [program, 'check'], { cwd: service, env });
    await execa('node', [program, 'add', 'grpc', '--no-install'], { cwd: service, env });
    const both = read(service);
    await run(service, ...commands.examine);
    expect(read(service).replaceAll(/^ +"resolved": .*\n/gm, '')).toBe(both.replaceAll(/^ +"resolved": .*\n/gm, ''));
    await execa('node', [program, 'remove', 'grpc', '--no-install'], { cwd: service, env });
    expect(read(service)).toBe(own);
  });
});
