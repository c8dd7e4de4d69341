import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { outputFileSync, outputJsonSync, readJsonSync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startService } from '../helpers/liveService.ts';

/** What another project has: types that must hold, and that must not. */
const consumer = `
import { ServiceError, type components, createClient } from 'orders-client';

const [baseUrl = '', token = ''] = [...(globalThis as any).process.argv].slice(2);
const orders = createClient({ baseUrl, token: () => token });
const { data, response } = await orders.POST('/items', { body: { name: 'anchor', quantity: 3 } });
const found = await orders.GET('/items/{id}', { params: { path: { id: data.id } } });
const item: components['schemas']['Item'] = found.data;
const missing = await orders
  .GET('/items/{id}', { params: { path: { id: '00000000-0000-4000-8000-000000000000' } }, timeoutMs: 1000 })
  .catch((error: unknown) => error);
const refused = await createClient({ baseUrl }).GET('/items').catch((error: unknown) => error);
const codes = [missing, refused].map((error) => error instanceof ServiceError && error.code);
console.log(JSON.stringify({ created: response.status, name: item.name, codes }));

export const wrong = [
  // @ts-expect-error there is no such operation
  () => orders.PUT('/items/{id}'),
  // @ts-expect-error a quantity is a number
  () => orders.POST('/items', { body: { name: 'anchor', quantity: '3' } }),
  // @ts-expect-error an item has an id
  () => orders.GET('/items/{id}', { params: { path: {} } }),
];
`;

/** As in a browser's project, in one of Node's, and for a bundler. */
const settings: Readonly<Record<string, object>> = {
  dom: { lib: ['es2024', 'dom'], types: [], module: 'nodenext' },
  node: { lib: ['es2024'], types: ['node'], module: 'nodenext' },
  bundler: { lib: ['es2024', 'dom'], types: [], module: 'esnext', moduleResolution: 'bundler' },
};

describe('the client of a service, packed', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-client-'));
  const service = path.join(folder, 'orders');
  const project = path.join(folder, 'web');
  const env = {
    PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter),
    CI: 'true',
    NODE_OPTIONS: '',
  };
  const run = (cwd: string, program: string, ...args: string[]) => execa(program, args, { cwd, env, all: true });

  beforeAll(async () => {
    const cli = path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', 'create-slipway.cjs');
    await run(folder, 'node', cli, 'orders', '--yes', '--no-git', '--modules=auth,grpc');
    await run(service, 'npm', 'run', 'build:client');
    await run(service, 'npm', 'pack', './pkg/client', '--pack-destination', folder);
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    outputJsonSync(path.join(project, 'package.json'), { private: true, type: 'module' });
    await run(project, 'npm', 'install', '--no-audit', '--no-fund', path.join(folder, tarball));
    outputFileSync(path.join(project, 'main.ts'), consumer);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds what may be imported, and nothing else', async () => {
    const packed = path.join(project, 'node_modules', 'orders-client');
    const files = readdirSync(packed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(packed, path.join(entry.parentPath, entry.name)));
    expect(files).toEqual(expect.arrayContaining(['package.json', 'dist/client/index.d.ts', 'dist/client/index.js']));
    expect(files.filter((file) => !/^(?:dist\/(?:client|errors)\/|package\.json$)/.test(file))).toEqual([]);
    expect(Object.keys(readJsonSync(path.join(packed, 'package.json')).dependencies)).toEqual(['openapi-fetch']);
  });

  it.each(Object.keys(settings))('is typed in a project with settings for: %s', async (name) => {
    const typeRoots = [path.join(service, 'node_modules', '@types')];
    outputJsonSync(path.join(project, `tsconfig.${name}.json`), {
      compilerOptions: { ...settings[name], typeRoots, target: 'es2024', strict: true, noEmit: true },
      files: ['main.ts'],
    });
    const { exitCode, all } = await execa(
      path.join(service, 'node_modules', '.bin', 'tsc'),
      ['--project', `tsconfig.${name}.json`],
      { cwd: project, env, all: true, reject: false },
    );
    expect(exitCode, all).toBe(0);
  });

  it('calls the running service', async () => {
    await using live = await startService(service, ['npm', 'start'], env);
    const token = (await run(service, 'npm', 'run', '--silent', 'token')).stdout;
    const { stdout } = await run(project, 'node', 'main.ts', live.origin, token);
    expect(JSON.parse(stdout)).toEqual({
      created: 201,
      name: 'anchor',
      codes: ['item_not_found', 'unauthenticated'],
    });
  });
});
