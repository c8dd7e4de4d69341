import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceFolder } from '../helpers/serviceFolder.ts';

const catalogue = await buildCatalogue();

/** Runs the service's own command. */
function token(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const own = { NODE_OPTIONS: '', AUTH_DEVELOPMENT_DIR: path.join(folder, 'keys') };
  return execa('node', ['cmd/token/main.ts', ...args], { cwd: folder, env: { ...own, ...env }, reject: false });
}

/** @returns the claims of a token that the service's own command prints */
async function claimsOf(folder: string, ...args: string[]): Promise<unknown> {
  const { stdout } = await token(folder, args);
  return JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString());
}

it('a token for development has the scopes of all resources unless it names others', async () => {
  const folder = serviceFolder(['auth'], catalogue, {
    'order-line': { plural: 'order-lines', fields: { sku: 'string' }, created: '20261130' },
    tag: { plural: 'tags', fields: { label: 'string' }, created: '20261130' },
  });
  expect(await claimsOf(folder)).toMatchObject({ scope: 'order-lines:read order-lines:write tags:read tags:write' });
  expect(await claimsOf(folder, '--scope', 'tags:read')).toMatchObject({ scope: 'tags:read' });
  expect(await claimsOf(serviceFolder(['auth'], catalogue))).toMatchObject({ scope: '' });
}, 300_000);

it('a token is refused in a few words', async () => {
  const folder = serviceFolder(['auth'], catalogue);
  for (const args of [['--bad'], ['--scope'], ['tags:read']]) {
    const { exitCode, stdout, stderr } = await token(folder, args);
    expect({ exitCode, stdout, lines: stderr.split('\n').length }, stderr).toEqual({
      exitCode: 2,
      stdout: '',
      lines: 2,
    });
    expect(stderr).toMatch(/\nusage: token /);
  }
  const { exitCode, stderr } = await token(folder, [], { AUTH_ISSUER: 'https://issuer.example' });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'AUTH_ISSUER is set: ask https://issuer.example for a token',
  });
}, 300_000);
