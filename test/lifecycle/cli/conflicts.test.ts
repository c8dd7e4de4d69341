import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';
import { hasTerminal, keys, onTerminal, type Step } from '../../helpers/terminal.ts';

const adding = ['add', 'postgres', '--no-install', '--no-git'];
const wiring = 'internal/platform/app/modules.gen.ts';
const page = 'docs/modules.md';

function textOf(service: string, file: string): string {
  return readFileSync(path.join(service, file), 'utf8');
}

function edit(service: string, file: string, change: (text: string) => string): void {
  const [before, after] = [textOf(service, file), change(textOf(service, file))];
  if (before === after) throw new Error(`the edit leaves ${file} as it was`);
  writeFileSync(path.join(service, file), after);
}

/** A service in which `add postgres` has conflicts in three files: one managed, one merged by line, one merged by key. */
function inConflict(): ReturnType<typeof scratchService> {
  const service = scratchService();
  edit(service.path, wiring, (text) => text.replace('export const modules = [', 'export const modules = [mine, '));
  edit(service.path, page, (text) => text.replace('None beside the base yet.', 'Ours are elsewhere.'));
  edit(service.path, 'package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "migrate": "mine",'));
  return service;
}

/** Adds a policy to the manifest. */
function keepPolicy(service: string, conflicts: Readonly<Record<string, string>>): void {
  edit(service, 'slipway.json', (text) => JSON.stringify({ ...JSON.parse(text), conflicts }, null, 2));
}

const yours = { [wiring]: '[mine, ', [page]: 'Ours are elsewhere.', 'package.json': '"migrate": "mine"' };

function expectOurs(service: string, ...files: (keyof typeof yours)[]): void {
  for (const [file, text] of Object.entries(yours)) {
    if (files.some((each) => each === file)) expect(textOf(service, file)).toContain(text);
    else expect(textOf(service, file)).not.toContain(text);
  }
}

describe('conflicts are settled by path', () => {
  it('on the command line: the last rule that matches a file decides', () => {
    using service = inConflict();
    const rules = ['--conflict=theirs', '--conflict=ours:internal/', '--conflict', 'ours:*.json'];
    const { exitCode, stderr } = slipway([...adding, ...rules], { cwd: service.path });
    expect(exitCode, stderr).toBe(0);
    expectOurs(service.path, wiring, 'package.json');
    expect(textOf(service.path, 'package.json')).toContain('"kysely"');
    expect(slipway(['check', '--conflict=ours:internal/'], { cwd: service.path }).exitCode).toBe(0);
  });

  it('and a file without a rule still stops the run', () => {
    using service = inConflict();
    const before = treeOf(service.path);
    const { exitCode, stdout } = slipway([...adding, '--conflict=theirs:docs/**', '--conflict=ours:package.json'], {
      cwd: service.path,
    });
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`1 file has conflicts; nothing was written. Choose with --conflict=`);
    expect(stdout).toContain(`--conflict=ours:${wiring}`);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('by the manifest, for every command, and the command line can say otherwise', () => {
    using service = inConflict();
    keepPolicy(service.path, { '**': 'theirs', 'internal/**': 'ours', '*.json': 'ours' });
    const stopped = slipway([...adding, '--conflict=stop', '--dry-run'], { cwd: service.path });
    expect(stopped.exitCode).toBe(3);
    expect(stopped.stdout).toContain('3 files have conflicts');
    const { exitCode, stderr } = slipway(adding, { cwd: service.path });
    expect(exitCode, stderr).toBe(0);
    expectOurs(service.path, wiring, 'package.json');
    expect(JSON.parse(textOf(service.path, 'slipway.json'))).toMatchObject({ conflicts: { 'internal/**': 'ours' } });
    // The managed file differs from what Slipway would write, and the owner has chosen that.
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['explain', wiring], { cwd: service.path }).stdout).toContain(
      'conflicts: ours, by "internal/**" in slipway.json',
    );
  });

  it.each([
    [{ 'deploy/**': 'mine' }, /\/conflicts\/deploy~1\*\*: expected "stop" or "ours" .*given: "mine"/],
    [{ ['a'.repeat(201)]: 'ours' }, 'a pattern has at most 200 characters'],
    ['ours', '/conflicts: expected an object; given: "ours"'],
  ])('a policy that is none is refused with its place: %j', (conflicts, message) => {
    using service = scratchService();
    edit(service.path, 'slipway.json', (text) => JSON.stringify({ ...JSON.parse(text), conflicts }));
    expectFault(slipway(['check'], { cwd: service.path }), 2, message);
  });
});

describe('conflicts that are left to the user', () => {
  it('with markers are listed with file and line: exit code 3, both sides and the base are there', () => {
    using service = inConflict();
    const { exitCode, stdout } = slipway([...adding, '--conflict=markers'], { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toContain('Conflicts are left in 3 files; done: ');
    for (const file of Object.keys(yours)) {
      const line = textOf(service.path, file).split('\n').indexOf('<<<<<<< yours') + 1;
      expect(stdout).toContain(`  resolve ${file}, line ${line}\n`);
    }
    expect(textOf(service.path, page)).toMatch(
      /^<{7} yours\nOurs are elsewhere\.\n\|{7} base\nNone beside the base yet\.\n={7}\n\| module [^]*^>{7} slipway\n/m,
    );
    expect(textOf(service.path, 'package.json')).toMatch(/^<{7} yours\n {4}"migrate": "mine",\n\|{7} base\n={7}\n/m);
    expect(stdout).toMatch(/^ {2}npm install$/m);
  });

  it.each(['--conflict=markers', '--conflict=markers:package.json'])('are not installed: %s', (flag) => {
    using service = inConflict();
    const programs = npmThatNotes(service.path);
    const { exitCode, stdout } = slipway(['add', 'postgres', '--no-git', '--conflict=theirs', flag], {
      cwd: service.path,
      env: { PATH: `${programs}${path.delimiter}${process.env['PATH']}` },
    });
    expect(exitCode).toBe(3);
    expect(existsSync(path.join(programs, 'called'))).toBe(false);
    expect(stdout).toMatch(/Next:\n[^]*^ {2}npm install$/m);
  });

  it('nor is a package.json that the user has broken', () => {
    using service = scratchService();
    edit(service.path, 'package.json', (text) => text.replace('"scripts": {', '"scripts": {,'));
    const programs = npmThatNotes(service.path);
    const { exitCode, stderr } = slipway(['add', 'redis', '--no-git'], {
      cwd: service.path,
      env: { PATH: `${programs}${path.delimiter}${process.env['PATH']}` },
    });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('package.json');
    expect(existsSync(path.join(programs, 'called'))).toBe(false);
  });

  it('are part of the JSON document, and of a plan that is applied', () => {
    using service = inConflict();
    const planned = slipway(['plan', 'add', 'postgres', '--conflict=markers', '--json'], { cwd: service.path });
    expect(planned.exitCode).toBe(3);
    const plan = JSON.parse(planned.stdout);
    expect(plan).toMatchObject({
      applied: false,
      left: expect.arrayContaining([{ path: page, at: expect.stringMatching(/^line \d+$/), how: 'markers' }]),
    });
    const file = path.join(path.dirname(service.path), 'plan.json');
    writeFileSync(file, planned.stdout);
    const { exitCode, stdout } = slipway(['apply', file, '--json'], { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      applied: true,
      left: plan.left,
      next: expect.arrayContaining(['npm install']),
    });
  });

  it('are skipped: the file stays, the others are written, and the next run finds it again', () => {
    using service = inConflict();
    const before = treeOf(service.path);
    const flags = ['--conflict=theirs', `--conflict=skip:${page}`];
    const { exitCode, stdout } = slipway([...adding, ...flags], { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/settle docs\/modules\.md, line \d+: slipway update asks again/);
    expectOurs(service.path, page);
    expect(treeOf(service.path)[page]).toBe(before[page]);
    const after = treeOf(service.path);
    for (const command of ['check', 'update']) {
      const again = slipway([command], { cwd: service.path });
      expect(again.exitCode).toBe(command === 'check' ? 4 : 3);
      expect(again.stdout).toContain('1 file has conflicts');
      const skipped = slipway([command, '--conflict=skip'], { cwd: service.path });
      expect(skipped.exitCode).toBe(command === 'check' ? 4 : 3);
      expect(skipped.stdout).not.toContain('Nothing to do');
    }
    expect(treeOf(service.path)).toEqual(after);
    expect(slipway(['update', '--conflict=theirs', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expectOurs(service.path);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });

  it('a file of the user’s own is skipped, and stays the user’s', () => {
    using service = scratchService();
    const mine = 'docs/postgres.md';
    writeFileSync(path.join(service.path, mine), 'mine\n');
    expect(slipway([...adding, '--conflict=skip'], { cwd: service.path }).exitCode).toBe(3);
    expect(textOf(service.path, mine)).toBe('mine\n');
    expect(slipway(['remove', 'postgres', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(textOf(service.path, mine)).toBe('mine\n');
  });

  it('an edited file of a module that goes is skipped, and asked about again', () => {
    using service = scratchService('--modules=postgres');
    const file = 'internal/platform/postgres/module.ts';
    edit(service.path, file, (text) => `${text}// mine\n`);
    const removing = ['remove', 'postgres', '--no-install', '--no-git'];
    // What is left of the module needs the rest of it.
    expect(slipway([...removing, `--conflict=skip:${file}`], { cwd: service.path }).exitCode).toBe(3);
    expect(slipway([...removing, '--conflict=theirs'], { cwd: service.path }).exitCode).toBe(0);
    expect(existsSync(path.join(service.path, file))).toBe(false);
  });
});

describe.skipIf(!hasTerminal)('on a terminal (needs `script` of util-linux)', () => {
  const interactive = ['add', 'postgres', '--no-install', '--no-git'];
  const choose = (answer: keyof typeof places): string => `${keys.down.repeat(places[answer])}${keys.enter}`;
  const places = { ours: 0, theirs: 1, edit: 2, markers: 3, skip: 4 } as const;
  const question = (index: number): string => `Conflict ${index} of 3`;

  it('each conflict is shown with both sides and asked about, and the answers are kept', async () => {
    using service = inConflict();
    const steps: readonly Step[] = [
      [question(1), choose('theirs')],
      [question(2), choose('ours')],
      [question(3), choose('ours')],
    ];
    const { exitCode, screen } = await onTerminal(interactive, steps, { cwd: service.path });
    expect(screen).toMatch(/docs\/modules\.md, line \d+\n {4}yours +│ Ours are elsewhere\.\n {4}slipway +│ \| module/);
    expect(exitCode).toBe(0);
    expectOurs(service.path, wiring, 'package.json');
    expect(textOf(service.path, 'package.json')).toContain('"kysely"');
  });

  it('a file is edited in the editor of the user, with the base, until no marker is left', async () => {
    using service = inConflict();
    using scratch = scratchFolder();
    // The first call leaves the markers, the second resolves them.
    const editor = path.join(scratch.path, 'my editor');
    const script = [
      '#!/bin/sh',
      `cp "$2" '${scratch.path}'/seen`,
      `[ -e '${scratch.path}/again' ] || { : > '${scratch.path}/again'; exit 0; }`,
      `printf '%s\\n' 'edited by hand' > "$2"`,
      '',
    ];
    writeFileSync(editor, script.join('\n'));
    chmodSync(editor, 0o755);
    const steps: readonly Step[] = [
      [question(1), choose('edit')],
      ['a merge conflict is not resolved', choose('edit')],
      [question(2), choose('theirs')],
      [question(3), choose('theirs')],
    ];
    const { exitCode, screen } = await onTerminal(interactive, steps, {
      cwd: service.path,
      env: { VISUAL: '', EDITOR: `'${editor}' --wait` },
    });
    expect(exitCode, screen).toBe(0);
    expect(textOf(scratch.path, 'seen')).toMatch(/^\|{7} base$/m);
    expect(textOf(service.path, page)).toBe('edited by hand\n');
    expectOurs(service.path);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(screen).not.toContain('Conflicts are left');
  });

  it('an edit of package.json that is no JSON is not taken, and the lockfile follows the one that is', async () => {
    using service = inConflict();
    using scratch = scratchFolder();
    const editor = path.join(scratch.path, 'editor');
    const script = [
      '#!/bin/sh',
      `[ -e '${scratch.path}/again' ] || { : > '${scratch.path}/again'; echo '{' > "$1"; exit 0; }`,
      `cp '${scratch.path}/resolved' "$1"`,
      '',
    ];
    writeFileSync(editor, script.join('\n'));
    chmodSync(editor, 0o755);
    const lock = JSON.parse(
      slipway([...adding, '--conflict=theirs', '--dry-run', '--json'], { cwd: service.path }).stdout,
    );
    const resolved = lock.changes.find((change: { path: string }) => change.path === 'package.json').content;
    writeFileSync(path.join(scratch.path, 'resolved'), resolved);
    const steps: readonly Step[] = [
      [question(1), choose('theirs')],
      [question(2), choose('theirs')],
      [question(3), choose('edit')],
      ['package.json is not valid, line', choose('edit')],
    ];
    const { exitCode, screen } = await onTerminal(interactive, steps, { cwd: service.path, env: { VISUAL: editor } });
    expect(exitCode, screen).toBe(0);
    expect(textOf(service.path, 'package.json')).toBe(resolved);
    expect(textOf(service.path, 'package-lock.json')).toContain('"node_modules/kysely"');
  });

  it('an editor that fails leaves the question open', async () => {
    using service = inConflict();
    const before = treeOf(service.path);
    const steps: readonly Step[] = [
      [question(1), choose('edit')],
      ['was not edited', keys.escape],
    ];
    const { exitCode, screen } = await onTerminal(interactive, steps, {
      cwd: service.path,
      env: { VISUAL: 'false' },
    });
    expect(screen).toContain('cancelled; nothing was written');
    expect(exitCode).toBe(1);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('markers and skip are listed: exit code 3', async () => {
    using service = inConflict();
    const steps: readonly Step[] = [
      [question(1), choose('markers')],
      [question(2), choose('skip')],
      [question(3), choose('theirs')],
    ];
    const { exitCode, screen } = await onTerminal(interactive, steps, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(screen).toMatch(/Next:\n {2}resolve docs\/modules\.md, line \d+\n {2}settle internal\/platform\/app/);
    expectOurs(service.path, page, wiring);
  });

  it('Ctrl+C leaves the service as it was, also after answers', async () => {
    using service = inConflict();
    const before = treeOf(service.path);
    const steps: readonly Step[] = [
      [question(1), choose('theirs')],
      [question(2), keys.ctrlC],
    ];
    const result = await onTerminal(interactive, steps, { cwd: service.path });
    expect(result).toMatchObject({ exitCode: 1, isCursorShown: true, isRestored: true });
    expect(treeOf(service.path)).toEqual(before);
  });

  it('an answer does not replace an edit that was made meanwhile', async () => {
    using service = inConflict();
    using scratch = scratchFolder();
    const editor = path.join(scratch.path, 'editor');
    writeFileSync(editor, `#!/bin/sh\necho 'another line' >> '${path.join(service.path, page)}'\necho mine > "$1"\n`);
    chmodSync(editor, 0o755);
    const steps: readonly Step[] = [
      [question(1), choose('edit')],
      [question(2), choose('theirs')],
      [question(3), choose('theirs')],
    ];
    const { exitCode, screen } = await onTerminal(interactive, steps, { cwd: service.path, env: { VISUAL: editor } });
    expect(exitCode).toBe(1);
    expect(screen).toContain(`${page} has changed while its conflicts were settled`);
    expect(textOf(service.path, page)).toMatch(/Ours are elsewhere\.[^]*another line\n$/);
  });

  it('nothing is asked with --conflict=stop, --yes, --json or --dry-run', async () => {
    using service = inConflict();
    const before = treeOf(service.path);
    for (const flag of ['--conflict=stop', '--yes', '--json', '--dry-run']) {
      const { exitCode, screen } = await onTerminal([...interactive, flag], [], { cwd: service.path });
      expect(exitCode).toBe(3);
      expect(screen).not.toContain('Conflict 1');
    }
    expect(treeOf(service.path)).toEqual(before);
  });
});

/** A package manager beside the service that notes that it was called. */
function npmThatNotes(service: string): string {
  const folder = path.join(path.dirname(service), 'programs');
  const file = path.join(folder, 'npm');
  mkdirSync(folder);
  writeFileSync(file, `#!/bin/sh\n: > '${folder}/called'\n`);
  chmodSync(file, 0o755);
  return folder;
}
