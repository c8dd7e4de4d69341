import { execFile, type ExecFileException } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, it, vi } from 'vitest';
import { loadCatalogue } from '../../../generators/catalogue.ts';
import { commandNames, flagsOf, loadCommand } from '../../../generators/commands.ts';
import { bundled, scratchFolder, treeOf } from '../../helpers/cli.ts';
import { catalogues, type Place, plans, secret, trees } from '../../helpers/hostile.ts';
import { scratchService } from '../../helpers/scratchService.ts';

vi.setConfig({ testTimeout: 1_200_000 });

/** What a command is given for the argument in its usage. A new kind of argument needs one more entry. */
const samples: Readonly<Record<string, readonly string[]>> = {
  '': [],
  '[dir]': ['other'],
  '<module>': ['postgres'],
  '<module...>': ['postgres'],
  '<file>': ['README.md'],
  '<file...>': ['tsconfig.json'],
  '<plan.json>': ['../file'],
  '<command...>': ['add', 'postgres'],
};

/** The ways to call each command, with text and with JSON as output. A command that is added tomorrow is walked, too. */
const calls = (
  await Promise.all(
    commandNames.map(async (name) => {
      const command = await loadCommand(name);
      const [args, flags] = [[name, ...(samples[command.usage] ?? ['x'])], flagsOf(command)];
      const diff = 'diff' in flags ? ['--diff'] : [];
      if (!('dry-run' in flags))
        return [
          [...args, ...diff],
          [...args, '--json'],
        ];
      const quick = [...args, '--yes', '--no-install'];
      return [
        [...quick, '--dry-run', ...diff],
        [...quick, ...('conflict' in flags ? ['--conflict=theirs'] : []), '--json'],
      ];
    }),
  )
).flat();

function writes(call: readonly string[]): boolean {
  return call.includes('--no-install') && !call.includes('--dry-run');
}

/** Runs all tasks, as many at a time as there are cores. */
async function inParallel(tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  const waiting = [...tasks];
  const worker = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await task();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** The max memory (MB) of a run for JavaScript. */
const mostMemory = 1024;
/** What shows that a run has not ended by itself (ms). It is long enough for the slowest machine. */
const endless = 300_000;

interface Target extends Place, Disposable {
  readonly marker: string;
}

function target(): Target {
  const service = scratchService('--preset=default');
  const home = path.dirname(service.path);
  const place = { root: service.path, outside: path.join(home, 'outside'), file: path.join(home, 'file') };
  mkdirSync(place.outside);
  writeFileSync(path.join(place.outside, 'secret'), secret);
  writeFileSync(path.join(place.root, '.env'), secret);
  writeFileSync(path.join(place.root, 'precious.md'), 'precious\n');
  const marker = path.join(home, 'marker');
  const script = `require('fs').writeFileSync(${JSON.stringify(marker)}, '');`;
  return { ...place, marker, script, [Symbol.dispose]: () => service[Symbol.dispose]() };
}

/** Characters that act on a terminal: control characters but tab and line end, and those for the direction of writing. */
const raw = /\r(?!\n)|[^\t\r\n\P{Cc}]|[\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/u;

/** Runs a command and expects what holds for every command in every tree. Returns its exit code. */
async function expectHarmless(call: readonly string[], { root, outside, marker }: Target): Promise<unknown> {
  const kept = ['.env', 'precious.md', 'local/notes.txt']
    .map((name) => path.join(root, name))
    .filter((file) => existsSync(file));
  const contents = kept.map((file) => readFileSync(file, 'utf8'));
  const { error, stdout, stderr } = await new Promise<{
    error: ExecFileException | null;
    stdout: string;
    stderr: string;
  }>((resolve) => {
    const options = {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1' },
      maxBuffer: 256 * 2 ** 20,
      timeout: endless,
      killSignal: 'SIGKILL',
    } as const;
    const args = [`--max-old-space-size=${mostMemory}`, bundled(), ...call];
    const child = execFile(process.execPath, args, options, (...[fault, out, err]) =>
      resolve({ error: fault, stdout: out, stderr: err }),
    );
    child.stdin?.end();
  });
  const what = `slipway ${call.join(' ').slice(0, 200)}\n${stderr.slice(0, 2000)}`;
  expect([0, 1, 2, 3, 4], `${what}: ${error?.signal}`).toContain(error?.code ?? (error === null ? 0 : 'killed'));
  expect(existsSync(marker), `${what} runs code`).toBe(false);
  for (const [stream, text] of Object.entries({ stdout, stderr })) {
    expect(raw.exec(text)?.index ?? -1, `${what}: ${stream} has a raw character`).toBe(-1);
    expect(text.includes('CANARY'), `${what}: ${stream} has a secret`).toBe(false);
    expect(text, what).not.toMatch(/^ +at .+:\d+/m);
    expect(text.includes('\nerror forged'), `${what}: ${stream} has a forged line`).toBe(false);
  }
  expect(stderr, what).not.toMatch(/a fault of Slipway itself|does not hold together/);
  expect(treeOf(outside), what).toEqual({ secret: expect.stringContaining(secret) });
  expect(
    kept.map((file) => readFileSync(file, 'utf8')),
    what,
  ).toEqual(contents);
  return error?.code ?? 0;
}

/** Runs a command that writes in a copy of the place. */
async function expectHarmlessInCopy(call: readonly string[], place: Target): Promise<void> {
  using copy = scratchFolder(path.dirname(path.dirname(place.root)));
  const [root, outside] = [path.join(copy.path, 'orders'), path.join(copy.path, 'outside')];
  cpSync(place.root, root, { recursive: true, verbatimSymlinks: true });
  cpSync(place.outside, outside, { recursive: true });
  await expectHarmless(call, { ...place, root, outside });
}

describe.skipIf(process.platform === 'win32')('in a tree of a stranger', () => {
  it.for(Object.entries(trees))('with %s, every command is harmless', async ([, plant]) => {
    using place = target();
    plant(place);
    await inParallel(
      calls.map((call) => () => (writes(call) ? expectHarmlessInCopy(call, place) : expectHarmless(call, place))),
    );
  });
});

describe.skipIf(process.platform === 'win32')('a plan of a stranger', () => {
  it.for(Object.entries(plans))('that %s is refused', async ([, make]) => {
    using place = target();
    const text = make(place);
    if (text !== '') outputFileSync(place.file, text);
    const before = treeOf(place.root);
    for (const call of calls.filter(([name]) => name === 'apply')) expect(await expectHarmless(call, place)).toBe(2);
    expect(treeOf(place.root)).toEqual(before);
  });
});

describe.skipIf(process.platform === 'win32')('a catalogue of a stranger', () => {
  const built = loadCatalogue('catalogue.txt', path.dirname(bundled()));

  it.for(Object.entries(catalogues))('that %s is refused by every command', async ([, make]) => {
    using place = target();
    const text = make(built, place);
    if (text !== '') outputFileSync(place.file, text);
    const before = treeOf(place.root);
    const once = calls.filter((call) => writes(call) || !call.includes('--json'));
    await inParallel(
      once.map((call) => async () => {
        // `doctor` reports a fault in its list. All other commands end with it.
        const exitCode = call[0] === 'doctor' ? 1 : 2;
        expect(await expectHarmless([...call, '--catalogue', place.file], place), call[0]).toBe(exitCode);
      }),
    );
    expect(treeOf(place.root)).toEqual(before);
  });
});
