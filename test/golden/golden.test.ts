import { cpSync, existsSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { layDown, treeOf } from '../helpers/cli.ts';
import { scratchFolder } from '../helpers/scratch.ts';

const services = path.join(import.meta.dirname, 'services');
/** What a service keeps of its pristine files says nothing that the files do not. */
const bases = path.join('.slipway', 'base.jsonl');

/** Both providers and a pnpm service, so that all that is printed is seen. */
const presets = [
  ['minimal', '--package-manager=npm', '--ci=github'],
  ['database', '--package-manager=pnpm', '--ci=github,gitlab'],
] as const;

/** Of the permission bits only whether a file is run: the others are the umask's. */
function agreed(folder: string): Record<string, string> {
  const files = Object.entries(treeOf(folder));
  const isRun = (mode: string): boolean => (Number.parseInt(mode, 8) & 0o100) !== 0;
  return Object.fromEntries(
    files.map(([file, text]) => [file, text.replace(/^[0-7]+/, (mode) => (isRun(mode) ? 'run' : 'read'))]),
  );
}

function service(preset: string, flags: readonly string[]): string {
  const root = layDown(scratchFolder(), `--preset=${preset}`, ...flags);
  rmSync(path.join(root, bases));
  return root;
}

/** A change of any template shows here, and in review, as the change of what users get. */
describe('a service of the preset', () => {
  it.each(presets)(
    '%s is what was agreed on; to agree on another: UPDATE_GOLDEN=1 npx vitest run --project golden',
    (preset, ...flags) => {
      const root = service(preset, flags);
      const golden = path.join(services, preset);
      if (process.env['UPDATE_GOLDEN'] === '1') {
        rmSync(golden, { recursive: true, force: true });
        cpSync(root, golden, { recursive: true });
      }
      const [expected, actual] = [existsSync(golden) ? agreed(golden) : {}, agreed(root)];
      expect(Object.keys(actual)).toEqual(Object.keys(expected));
      for (const [file, text] of Object.entries(expected)) expect(actual[file], file).toBe(text);
    },
  );

  it('is committed whole: no .gitignore, neither its own nor this repository’s, leaves a part of it out', () => {
    const { status, stdout } = spawnSync('git', ['ls-files', '--others', '--ignored', '--exclude-standard', services], {
      cwd: services,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});
