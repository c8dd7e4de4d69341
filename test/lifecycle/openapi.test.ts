import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { expect, it, vi } from 'vitest';
import type { Manifest } from '../../generators/engine/model.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { offeredModules } from '../helpers/offeredModules.ts';
import { serviceFolder } from '../helpers/serviceFolder.ts';

// Whole services are started, some with a database.
vi.setConfig({ testTimeout: 180_000 });

const catalogue = await buildCatalogue();
/** Those without a contract say nothing. */
const brought = ['client'];
/** A resource with all kinds of operations, and one that cannot be changed. */
const resources: Manifest['resources'] = {
  customer: { plural: 'customers', fields: { name: 'string:immutable' }, created: '20261130' },
  'order-line': {
    plural: 'order-lines',
    fields: { sku: 'string:unique', customer: 'ref(customer)', status: 'enum(created,sent)' },
    states: { status: 'created>sent:send' },
    created: '20261130',
  },
};
const contract = 'api/openapi.json';
const client = 'pkg/client/contract.gen.ts';

function run(cwd: string, ...[program, ...args]: readonly [string, ...string[]]) {
  return execa(program, args, { cwd, env: { NODE_OPTIONS: '' }, reject: false, all: true });
}

/** A module whose routes are not in its `contract.json` is told by the difference: that is what belongs there. */
it.each([[], ...offeredModules.map((id) => [id]), offeredModules].map((modules) => ({ modules })))(
  'a service with modules $modules says of itself what is composed for it, and prints its client from that',
  async ({ modules }) => {
    const folder = serviceFolder([...brought, ...modules], catalogue, resources);
    const files = [contract, client].map((file) => path.join(folder, file));
    const read = () => files.map((file) => readFileSync(file, 'utf8'));
    const composed = read();
    // With what follows it.
    const { exitCode, all } = await run(folder, 'npm', 'run', 'openapi');
    expect(exitCode, all).toBe(0);
    expect(read()).toEqual(composed);
  },
);

it('a service fails its own test when its contract or its client is behind its code', async () => {
  const folder = serviceFolder(brought, catalogue);
  const test = () => run(folder, 'npx', 'vitest', 'run', '--project=unit', 'api/');
  expect((await test()).all).toMatch(/2 passed/);
  for (const file of [contract, client]) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    writeFileSync(path.join(folder, file), text.replaceAll('requestId', 'callId'));
  }
  expect((await test()).all).toMatch(/1 failed.*1 passed/);
  writeFileSync(path.join(folder, client), '');
  expect((await test()).all).toMatch(/2 failed/);
});
