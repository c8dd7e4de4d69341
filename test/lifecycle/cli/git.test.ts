import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

const adding = ['add', 'postgres', '--no-install'];
const writing = [adding, ['ci', '--provider', 'gitlab', '--no-install'], ['eject', 'tsconfig.json', '--no-install']];

function git(folder: string, args: readonly string[], reject = true): void {
  execaSync('git', ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.org', ...args], {
    cwd: folder,
    reject,
  });
}

/** A service whose repository stands in the middle of a merge of two edits of one file. */
function inTheMiddleOfAMerge(file: string): ReturnType<typeof scratchService> {
  const service = scratchService();
  const edit = (text: string) => {
    appendFileSync(path.join(service.path, file), `${text}\n`);
    git(service.path, ['commit', '--quiet', '--all', '--message', text]);
  };
  git(service.path, ['init', '--quiet', '--initial-branch=main']);
  git(service.path, ['add', '--all']);
  git(service.path, ['commit', '--quiet', '--message', 'start']);
  git(service.path, ['checkout', '--quiet', '-b', 'other']);
  edit('theirs');
  git(service.path, ['checkout', '--quiet', 'main']);
  edit('mine');
  git(service.path, ['merge', 'other'], false);
  return service;
}

describe('in a git tree with unresolved conflicts', () => {
  it('nothing is written, and the files are named', () => {
    using service = inTheMiddleOfAMerge('README.md');
    expect(readFileSync(path.join(service.path, 'README.md'), 'utf8')).toContain('<<<<<<< HEAD');
    const before = treeOf(service.path);
    for (const command of writing) {
      expectFault(
        slipway(command, { cwd: service.path }),
        2,
        'unresolved conflicts in: README.md\n  settle what Slipway can settle with `slipway resolve`',
      );
    }
    expectFault(slipway(adding, { cwd: path.join(service.path, 'internal') }), 2, 'README.md');
    expect(treeOf(service.path)).toEqual(before);
  });

  it('check and doctor name them, too', () => {
    using service = inTheMiddleOfAMerge('README.md');
    for (const command of [['check'], [...adding, '--dry-run']])
      expectFault(
        slipway(command, { cwd: service.path }),
        2,
        /unresolved conflicts in: README\.md\n.*`slipway resolve`.*\(line \d+ of README\.md\)/,
      );
    const { exitCode, stdout } = slipway(['doctor'], { cwd: service.path });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ conflicts +unresolved conflicts in README\.md/);
  });

  it('work goes on once they are resolved', () => {
    using service = inTheMiddleOfAMerge('README.md');
    writeFileSync(path.join(service.path, 'README.md'), 'resolved\n');
    git(service.path, ['add', 'README.md']);
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
  });

  it('in slipway.json, the advice is to resolve it', () => {
    using service = inTheMiddleOfAMerge('slipway.json');
    const before = treeOf(service.path);
    for (const command of [['check'], ['update'], adding])
      expectFault(slipway(command, { cwd: service.path }), 2, 'slipway.json holds an unresolved conflict');
    expect(treeOf(service.path)).toEqual(before);
  });
});

describe('markers of an earlier conflict', () => {
  const markers = '<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> slipway\n';

  it('in a file that would be changed stop everything', () => {
    using service = scratchService('--modules=docker');
    const file = path.join(service.path, 'deploy/compose/compose.yaml');
    appendFileSync(file, markers);
    const before = treeOf(service.path);
    expectFault(slipway(adding, { cwd: service.path }), 2, 'unresolved conflicts in: deploy/compose/compose.yaml');
    expect(treeOf(service.path)).toEqual(before);
    expect(slipway(['doctor'], { cwd: service.path }).stdout).toContain(
      'unresolved conflicts in deploy/compose/compose.yaml',
    );
  });

  it('in a file that stays as it is stop everything, too', () => {
    using service = scratchService();
    const file = 'internal/platform/http/problems.ts';
    appendFileSync(path.join(service.path, file), `/*\n${markers}*/\n`);
    const told = new RegExp(`unresolved conflicts in: ${file}\\n  resolve them first \\(line \\d+ of ${file}\\)`);
    expectFault(slipway(adding, { cwd: service.path }), 2, told);
  });
});
