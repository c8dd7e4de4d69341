import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { afterAll } from 'vitest';
import { loadCatalogue } from '../../generators/catalogue.ts';
import type { Catalogue, Lock } from '../../generators/engine/model.ts';
import { printCatalogue } from '../../generators/engine/catalogueText.ts';
import { layDown, slipway, treeOf } from '../helpers/cli.ts';
import { readLock } from '../helpers/store.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { nextCatalogue } from '../helpers/secondCatalogue.ts';

/** The catalogue that the command line carries. */
export const catalogue: Catalogue = loadCatalogue('dist/catalogue.txt', path.resolve(import.meta.dirname, '../..'));
/** The one after it. */
export const second = nextCatalogue(catalogue);

const folder = mkdtempSync(path.join(tmpdir(), 'slipway-second-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** Where it lies, for `--catalogue`. */
export const secondFile = path.join(folder, 'catalogue.txt');
writeFileSync(secondFile, printCatalogue(second));

/** A service on disk, and what a user does to it. */
export interface TestService {
  readonly root: string;
  /** Runs a command in it. */
  readonly run: (...args: string[]) => ReturnType<typeof slipway>;
  /** Runs a command that must succeed, with no install. @returns what it printed */
  readonly must: (...args: string[]) => string;
  /** The same with the second catalogue. */
  readonly second: { readonly run: TestService['run']; readonly must: TestService['must'] };
  readonly read: (file: string) => string;
  readonly write: (file: string, text: string) => void;
  /** Changes a file's text. @throws when that changes nothing: the test would prove nothing */
  readonly edit: (file: string, change: (text: string) => string) => void;
  readonly remove: (file: string) => void;
  readonly move: (from: string, to: string) => void;
  /** Path → permission bits and text of every file. */
  readonly tree: () => Record<string, string>;
  readonly manifest: () => Record<string, unknown>;
  readonly lock: () => Lock;
}

/**
 * @param flags of `slipway new`
 * @returns a new service, removed when the test is over
 */
export function newService(...flags: string[]): TestService {
  return serviceIn(layDown(scratchFolder('memory'), ...flags));
}

/**
 * @param root a service's folder
 * @returns the means to work with it
 */
export function serviceIn(root: string): TestService {
  const at = (name: string): string => path.join(root, name);
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const write = (name: string, text: string): void => outputFileSync(at(name), text);
  const runner =
    (...more: string[]): TestService['run'] =>
    (...args) =>
      slipway([...args, ...more], { cwd: root });
  const strict =
    (run: TestService['run']): TestService['must'] =>
    (command = '', ...args) => {
      const quiet = changing.has(command) ? ['--no-install'] : [];
      const { exitCode, stdout, stderr } = run(command, ...args, ...quiet);
      if (exitCode !== 0) throw new Error(`slipway ${[command, ...args].join(' ')}: ${exitCode}\n${stdout}${stderr}`);
      return stdout;
    };
  const [first, next] = [runner(), runner(`--catalogue=${secondFile}`)];
  return {
    root,
    run: first,
    must: strict(first),
    second: { run: next, must: strict(next) },
    read,
    write,
    edit: (name, change) => {
      const [before, after] = [read(name), change(read(name))];
      if (before === after) throw new Error(`the edit leaves ${name} as it was`);
      write(name, after);
    },
    remove: (name) => rmSync(at(name)),
    move: (from, to) => {
      write(to, read(from));
      rmSync(at(from));
    },
    tree: () => treeOf(root),
    manifest: () => JSON.parse(read('slipway.json')),
    lock: () => readLock(root),
  };
}

const changing = new Set(['add', 'remove', 'resource', 'ci', 'update', 'eject', 'apply', 'resolve', 'undo']);

/**
 * @param before a tree
 * @param after another
 * @returns paths of the files that are not the same in both, sorted
 */
export function differing(before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((file) => before[file] !== after[file])
    .sort();
}
