import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort, startService } from '../helpers/liveService.ts';

/** Preset → what its page has to show, beside what every service does. */
const presets = {
  api: ['auth', 'hal', 'postgres', 'ratelimit'],
  grpc: ['auth', 'grpc'],
  realtime: ['auth', 'ratelimit', 'websocket'],
};

/** What stands between two commands that are pasted into one shell. */
const mark = '--- pasted ---';

describe.each(Object.entries(presets))('preset %s', (preset, modules) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-preset-'));
  const service = path.join(folder, 'orders');
  // Nothing but what a new machine has: neither a database nor Redis.
  const env = { PATH: inject('hostPath'), NODE_OPTIONS: '', DATABASE_URL: undefined, REDIS_URL: undefined };

  beforeAll(async () => {
    const program = path.join(inject('installed'), 'node_modules/create-slipway/dist/create-slipway.cjs');
    await execa('node', [program, 'orders', '--yes', `--preset=${preset}`, '--no-git'], { cwd: folder, env });
    // `npm start` builds, too: on a machine that is busy, for longer than a start may take.
    await execa('npm', ['run', 'build'], { cwd: service, env });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('starts by `npm start` alone, and does what its page says when that is pasted', async () => {
    const grpcPort = await freePort();
    await using live = await startService(service, ['npm', 'start'], { ...env, GRPC_PORT: String(grpcPort) });
    const page = readFileSync(path.join(service, 'docs/try.md'), 'utf8');
    expect(readFileSync(path.join(service, 'README.md'), 'utf8')).toContain('(docs/try.md)');
    const titles = new Set([...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title));
    expect(titles).toEqual(new Set(['The example', ...modules]));
    const trials = [...page.matchAll(/^```sh\n([^]*?)\n```\n\nIt prints `(.*)`\.$/gm)];
    expect(trials).toHaveLength(page.match(/^```sh$/gm)?.length ?? 0);
    // Only the ports are others: several services may run on this machine.
    const pasted = trials
      .map(([, shell]) => `${shell}\necho; echo '${mark}'`)
      .join('\n')
      .replaceAll('localhost:8080', new URL(live.origin).host)
      .replaceAll('localhost:9090', new URL(live.admin).host)
      .replaceAll('localhost:50051', `127.0.0.1:${grpcPort}`);
    const { stdout } = await execa('bash', ['-c', pasted], { cwd: service, env, reject: false, encoding: 'latin1' });
    const printed = stdout.split(mark);
    for (const [index, [, shell, prints = '']] of trials.entries()) {
      expect({ shell, printed: printed[index] }, live.output()).toEqual({
        shell,
        printed: expect.stringContaining(prints),
      });
    }
    expect(await live.stop()).toBe(0);
  });
});
