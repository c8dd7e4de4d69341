import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, inject, it, vi } from 'vitest';
import { freePort } from '../helpers/liveService.ts';

const repository = path.resolve(import.meta.dirname, '../..');

/** The first command that the README gives a newcomer; the second is the one that CI runs the tests by. */
describe('npm install && npm run demo', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-clone-'));
  const clone = path.join(folder, 'slipway');
  const env = { PATH: inject('hostPath'), NODE_OPTIONS: '', DATABASE_URL: undefined, REDIS_URL: undefined };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('in an empty clone generates a service and starts it', { timeout: 400_000 }, async ({ skip }) => {
    skip(!existsSync(path.join(repository, '.git')), 'not a git repository');
    expect(readFileSync(path.join(repository, 'README.md'), 'utf8')).toContain('\nnpm install && npm run demo\n');
    await execa('git', ['clone', '--quiet', repository, clone], { env });
    const [port, adminPort] = [await freePort(), await freePort()];
    // A group of processes, as a shell makes one for a command: Ctrl+C reaches all of it.
    const demo = execa('npm install --no-audit --no-fund && npm run demo', {
      cwd: clone,
      shell: true,
      detached: true,
      env: { ...env, PORT: String(port), ADMIN_PORT: String(adminPort) },
      all: true,
      reject: false,
    });
    try {
      await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/items`)).status).toBe(200), {
        timeout: 300_000,
        interval: 1000,
      });
      expect(existsSync(path.join(folder, 'slipway-demo-orders', 'slipway.json'))).toBe(true);
    } finally {
      process.kill(-(demo.pid ?? 0), 'SIGINT');
    }
    const { all } = await demo;
    expect(all).toContain('stopped');
    await expect(fetch(`http://127.0.0.1:${port}/items`)).rejects.toThrow('fetch failed');
  });
});
