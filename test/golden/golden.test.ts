import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { loadCatalogue } from '../../generators/catalogue.ts';
import { layDown, scratchFolder, treeOf } from '../helpers/cli.ts';

const services = path.join(import.meta.dirname, 'services');
const catalogueFile = path.resolve(import.meta.dirname, '../../dist/catalogue.txt');

/** Together they have both CI providers and both package managers, so that every composer prints something. */
const presets = [
  ['minimal', '--package-manager=npm', '--ci=github'],
  ['database', '--package-manager=pnpm', '--ci=github,gitlab'],
] as const;

/** Composed, but large, and determined by other committed files: the templates' lockfiles, and the service's other files. */
const hashedOnly = new Set(['package-lock.json', 'pnpm-lock.yaml', '.slipway/lock.jsonl', '.slipway/base.jsonl']);

/** Paths of files that are copied byte for byte. The template beside its module shows what changes in them. */
let copied: ReadonlySet<string>;

beforeAll(() => {
  const { base, modules } = loadCatalogue(catalogueFile, '/');
  const files = [base, ...Object.values(modules)].flatMap((module) => module.files);
  copied = new Set(files.flatMap((file) => ('text' in file ? [file.path] : [])));
});

/** What is committed of one service. */
interface Golden {
  /** Path → text of each composed or templated file. */
  readonly texts: Readonly<Record<string, string>>;
  /** For every file one line: the start of its SHA-256, whether it is a program, its path. */
  readonly list: readonly string[];
}

function generate(preset: string, flags: readonly string[]): Golden {
  const scratch = scratchFolder();
  onTestFinished(() => scratch[Symbol.dispose]());
  // `treeOf` gives the permission bits, a space, and the text.
  const files = Object.entries(treeOf(layDown(scratch.path, `--preset=${preset}`, ...flags))).map(([file, content]) => {
    const [, mode = '', text = ''] = /^([0-7]+) ([^]*)$/.exec(content) ?? [];
    return { file, text, isProgram: (Number.parseInt(mode, 8) & 0o100) !== 0 };
  });
  return {
    texts: Object.fromEntries(
      files.flatMap(({ file, text }) => (copied.has(file) || hashedOnly.has(file) ? [] : [[file, text] as const])),
    ),
    list: files.map(({ file, text, isProgram }) => `${hashOf(text)} ${isProgram ? 'x' : '-'} ${file}`),
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function listFile(preset: string): string {
  return path.join(services, `${preset}.txt`);
}

function read(preset: string): Golden {
  const folder = path.join(services, preset);
  const texts = existsSync(folder) ? treeOf(folder) : {};
  return {
    texts: Object.fromEntries(Object.entries(texts).map(([file, text]) => [file, text.replace(/^[0-7]+ /, '')])),
    list: existsSync(listFile(preset)) ? readFileSync(listFile(preset), 'utf8').trimEnd().split('\n') : [],
  };
}

function write(preset: string, { texts, list }: Golden): void {
  const folder = path.join(services, preset);
  rmSync(folder, { recursive: true, force: true });
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  writeFileSync(listFile(preset), `${list.join('\n')}\n`);
}

describe('a service of the preset', () => {
  it.each(presets)(
    '%s is what is committed; to accept a change: UPDATE_GOLDEN=1 npx vitest run --project golden',
    (preset, ...flags) => {
      const actual = generate(preset, flags);
      if (process.env['UPDATE_GOLDEN'] === '1') write(preset, actual);
      const expected = read(preset);
      for (const [file, text] of Object.entries(actual.texts)) expect(text, file).toBe(expected.texts[file]);
      expect(Object.keys(actual.texts)).toEqual(Object.keys(expected.texts));
      expect(actual.list).toEqual(expected.list);
    },
  );

  it('is committed whole: no .gitignore, neither its own nor the repository’s, excludes a part of it', () => {
    const { status, stdout } = spawnSync('git', ['ls-files', '--others', '--ignored', '--exclude-standard', services], {
      cwd: services,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});
