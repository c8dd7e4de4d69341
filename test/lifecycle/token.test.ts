import path from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceFolder } from '../helpers/serviceFolder.ts';

const catalogue = await buildCatalogue();

/** @returns the claims of a token that the service's own command prints */
async function claimsOf(folder: string, ...args: string[]): Promise<unknown> {
  const env = { NODE_OPTIONS: '', AUTH_DEVELOPMENT_DIR: path.join(folder, 'keys') };
  const { stdout } = await execa('node', ['cmd/token/main.ts', ...args], { cwd: folder, env });
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
}, 60_000);
