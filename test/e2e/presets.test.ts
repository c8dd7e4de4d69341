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

describe.each(Object.entries(presets))('preset %s', (preset, sections) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-preset-'));
  const service = path.join(folder, 'orders');
  // Nothing but what a new machine has: neither a database nor Redis.
  const env = { PATH: inject('hostPath'), NODE_OPTIONS: '', DATABASE_URL: undefined, REDIS_URL: undefined };
  const textOf = (file: string): string => readFileSync(path.join(service, file), 'utf8');

  beforeAll(async () => {
    const program = path.join(inject('installed'), 'node_modules/create-slipway/dist/create-slipway.cjs');
    await execa('node', [program, 'orders', '--yes', `--preset=${preset}`, '--no-git'], { cwd: folder, env });
    // `npm start` builds, too: on a machine that is busy, for longer than a start may take.
    await execa('npm', ['run', 'build'], { cwd: service, env });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('starts by `npm start` alone, and does what its page says when that is pasted', async () => {
    const page = textOf('docs/modules.md');
    expect(textOf('README.md')).toContain('(docs/modules.md#try-it)');
    const titles = [...page.matchAll(/^### (.*)$/gm)].map(([, title]) => title);
    expect(new Set(titles)).toEqual(new Set(['The API', 'contract', ...sections]));
    await using terminal = pasteInto(service, env);
    const trials = [...page.matchAll(/^```sh\n([^]*?)\n```\n\nIt prints `(.*)`\.$/gm)];
    expect(trials).toHaveLength(page.match(/^```sh$/gm)?.length ?? 0);
    const grpcPort = await freePort();
    await using live = await startService(service, ['npm', 'start'], { ...env, GRPC_PORT: String(grpcPort) });
    for (const [, shell = '', prints = ''] of trials) {
      // Only the ports are others: several services may run on this machine.
      const pasted = shell
        .replaceAll('localhost:8080', new URL(live.origin).host)
        .replaceAll('localhost:9090', new URL(live.admin).host)
        .replaceAll('localhost:50051', `127.0.0.1:${grpcPort}`);
      expect(await terminal.paste(pasted), `${shell}\n${live.output()}`).toContain(prints);
    }
    expect(await live.stop()).toBe(0);
  });
});

/** A shell that stays open. */
interface Terminal extends AsyncDisposable {
  /** @returns what came of it on standard output */
  readonly paste: (shell: string) => Promise<string>;
}

function pasteInto(cwd: string, env: NodeJS.ProcessEnv): Terminal {
  const mark = '--- pasted ---';
  const shell = execa('bash', { cwd, env, reject: false, buffer: false });
  const lines = shell.iterable();
  return {
    async paste(text) {
      shell.stdin.write(`${text}\necho; echo '${mark}'\n`);
      const printed: string[] = [];
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true || value === mark) return printed.join('\n');
        printed.push(value);
      }
    },
    async [Symbol.asyncDispose]() {
      shell.stdin.end();
      await shell;
    },
  };
}
