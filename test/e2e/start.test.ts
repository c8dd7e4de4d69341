import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startService } from '../helpers/liveService.ts';

/** Runs in the service: prints the URLs of what Node has loaded when the process exits, and the internals of Node. */
const report = `
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
const loaded = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
process.on('exit', () => writeSync(1, [...loaded, ...process.moduleLoadList].join('\\n')));
`;

describe('the production build of the default service', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-start-'));
  const service = path.join(folder, 'orders');
  const env = { PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter), NODE_ENV: 'production' };

  beforeAll(async () => {
    const create = path.join(inject('installed'), 'node_modules/create-slipway/dist/create-slipway.cjs');
    await execa('node', [create, 'orders', '--yes', '--no-git'], { cwd: folder, env: { ...env, NODE_ENV: '' } });
    await execa('npm', ['run', 'build'], { cwd: service, env });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('starts with TypeBox in a few files, and without the fetch of Node', async () => {
    const hook = `data:text/javascript,${encodeURIComponent(report)}`;
    const command = ['node', `--import=${hook}`, 'dist/cmd/server/main.js'] as const;
    await using live = await startService(service, command, { ...env, SHUTDOWN_DELAY_MS: '0' });
    expect(await live.stop()).toBe(0);
    const loaded = live.output().split('\n');
    const typebox = loaded.filter((url) => url.includes('/node_modules/typebox/'));
    expect(typebox.filter((url) => !url.includes('/dist/node_modules/typebox/'))).toEqual([]);
    expect(typebox.length).toBeGreaterThan(0);
    expect(typebox.length).toBeLessThan(10);
    expect(loaded.filter((name) => name.includes('undici'))).toEqual([]);
    expect(loaded.filter((url) => url.startsWith('file:')).length).toBeLessThan(600);
  });
});
