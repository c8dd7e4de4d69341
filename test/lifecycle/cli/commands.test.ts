import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { moduleSpecifiers } from '../../../generators/engine/reconcile/moduleSpecifiers.ts';
import { candidates } from '../../../generators/engine/reconcile/specifiers.ts';
import { scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

const still = '--no-install';

/** Runs a command that shall succeed, and gives its document. */
function json(args: readonly string[], cwd: string, exitCode = 0): Record<string, unknown> {
  const result = slipway([...args, '--json'], { cwd });
  expect(result).toMatchObject({ exitCode, stderr: '' });
  return JSON.parse(result.stdout);
}

function manifestOf(service: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path.join(service, 'slipway.json'), 'utf8'));
}

describe('the commands', () => {
  it('new lays a service down and tells what to do next', () => {
    using scratch = scratchFolder();
    const { exitCode, stdout } = slipway(['new', 'orders', '--yes', still, '--no-git'], { cwd: scratch.path });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/ {2}create +package\.json\n/);
    expect(stdout).toMatch(/Done: \d+ files created\.\n\nNext:\n {2}cd orders\n {2}npm install\n {2}npm run dev\n/);
    expect(stdout.split('\n').length).toBeLessThan(40);
  });

  it('new --json tells the same', () => {
    using scratch = scratchFolder();
    const document = json(['new', 'orders', '--modules', 'postgres', still, '--no-git'], scratch.path);
    expect(document).toMatchObject({ plan: 1, command: 'new', applied: true, exitCode: 0 });
    expect(document['entries']).toContainEqual(
      expect.objectContaining({ path: 'internal/platform/postgres/module.ts', action: 'create', module: 'postgres' }),
    );
    expect(document).not.toHaveProperty('changes');
  });

  it('new --dry-run writes nothing', () => {
    using scratch = scratchFolder();
    const { exitCode, stdout } = slipway(['new', 'orders', '--yes', '--dry-run', '--diff'], { cwd: scratch.path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('+++ b/package.json');
    expect(stdout).toContain('nothing was written');
    expect(treeOf(scratch.path)).toEqual({});
  });

  it('presets are named sets of modules and resources', () => {
    using scratch = scratchFolder();
    json(['new', 'orders', '--preset', 'database', still, '--no-git'], scratch.path);
    expect(manifestOf(path.join(scratch.path, 'orders'))).toMatchObject({
      modules: { postgres: {} },
      resources: { item: { plural: 'items' } },
    });
  });

  it('add and remove bring and take modules, and end where they began', () => {
    using service = scratchService();
    const before = treeOf(service.path);
    const added = json(['add', 'postgres', '--set', 'postgres.version=17', still], service.path);
    expect(added).toMatchObject({ command: 'add', applied: true });
    expect(manifestOf(service.path)).toMatchObject({ modules: { postgres: { version: '17' } } });
    const again = slipway(['add', 'postgres', still], { cwd: service.path });
    expect(again.stdout).toContain('postgres is already in this service\nNothing to do');
    json(['remove', 'postgres', still], service.path);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('remove refuses while the user’s code needs the module, and names the place', () => {
    using service = scratchService('--modules', 'postgres');
    const user = path.join(service.path, 'internal/mine.ts');
    writeFileSync(user, "// mine\nimport { postgres } from './platform/postgres/module.ts';\nexport { postgres };\n");
    const before = treeOf(service.path);
    expectFault(slipway(['remove', 'postgres', still], { cwd: service.path }), 3, 'internal/mine.ts:2');
    expect(treeOf(service.path)).toEqual(before);
  });

  it('ci writes and removes pipelines', () => {
    using service = scratchService();
    json(['ci', '--provider', 'github,gitlab', still], service.path);
    expect(existsSync(path.join(service.path, '.gitlab-ci.yml'))).toBe(true);
    json(['ci', '--provider', 'none', still], service.path);
    expect(existsSync(path.join(service.path, '.gitlab-ci.yml'))).toBe(false);
    expect(existsSync(path.join(service.path, '.github/workflows/ci.yaml'))).toBe(false);
    expect(manifestOf(service.path)).toMatchObject({ ci: [] });
    expect(slipway(['ci', still], { cwd: service.path }).stdout).toContain('Nothing to do');
  });

  it('update applies a manifest that was edited by hand', () => {
    using service = scratchService();
    const file = path.join(service.path, 'slipway.json');
    writeFileSync(file, JSON.stringify({ ...manifestOf(service.path), modules: { postgres: {} } }));
    expect(json(['check'], service.path, 4)).toMatchObject({ command: 'check', applied: false, exitCode: 4 });
    expect(json(['update', still], service.path)).toMatchObject({ applied: true });
    expect(existsSync(path.join(service.path, 'internal/platform/postgres/module.ts'))).toBe(true);
    expect(json(['check'], service.path)).toMatchObject({ entries: [] });
  });

  it('eject makes a file the user’s alone, and explain says so', () => {
    using service = scratchService();
    const gen = 'internal/platform/app/modules.gen.ts';
    expect(slipway(['eject', gen, still], { cwd: service.path }).stdout).toContain(`${gen} is yours alone`);
    writeFileSync(path.join(service.path, gen), '// mine\n');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['add', 'postgres', still], { cwd: service.path }).exitCode).toBe(0);
    expect(readFileSync(path.join(service.path, gen), 'utf8')).toBe('// mine\n');
    expect(json(['explain', gen], service.path)).toEqual({ path: gen, state: 'ejected' });
  });

  it('eject of a folder of the platform brings its tests, and whatever they import', () => {
    using service = scratchService();
    const folder = 'internal/platform/http';
    const isTest = (file: string): boolean => file.startsWith(`${folder}/`) && file.endsWith('.test.ts');
    expect(Object.keys(treeOf(service.path)).filter(isTest)).toEqual([]);
    json(['eject', folder, still], service.path);
    const tree = treeOf(service.path);
    expect(Object.keys(tree).filter(isTest).length).toBeGreaterThan(5);
    expect(manifestOf(service.path)).toMatchObject({ ejected: [`${folder}/`] });
    const sources = Object.keys(tree).filter((file) => file.endsWith('.ts') && !file.startsWith('.slipway/'));
    const lost = sources.flatMap((file) =>
      moduleSpecifiers(tree[file] ?? '')
        .filter(({ specifier, isPath }) => specifier.startsWith('.') && !isPath)
        .filter(({ specifier }) => !candidates(file, specifier).some((found) => found in tree))
        .map(({ specifier }) => `${file} imports ${specifier}`),
    );
    expect(lost).toEqual([]);
    // They are the user's: Slipway neither misses nor changes them.
    rmSync(path.join(service.path, `${folder}/module.test.ts`));
    expect(json(['check'], service.path)).toMatchObject({ entries: [] });
    expect(json(['explain', `${folder}/server.ts`], service.path)).toMatchObject({ state: 'ejected' });
  });

  it('eject takes patterns: the files that match, and of a folder also those that come later', () => {
    using service = scratchService();
    const made = slipway(['eject', 'docs/*.md', 'internal/platform/http/**', still], { cwd: service.path });
    expect(made.stdout).toContain('are yours alone; to give back, edit "ejected" in slipway.json');
    const { ejected } = manifestOf(service.path) as { ejected: string[] };
    expect(ejected).toContain('internal/platform/http/');
    expect(ejected).toContain('docs/operations.md');
    expect(ejected).not.toContainEqual(expect.stringMatching(/^docs\/.*\/|\*/));
    writeFileSync(path.join(service.path, 'docs/operations.md'), 'mine\n');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['eject', 'kustomize/**/*.yaml', still], { cwd: service.path }).exitCode).toBe(2);
  });

  it('explain says when the tests of an edited file of the platform are not in the service', () => {
    using service = scratchService();
    const file = 'internal/platform/http/admission.ts';
    const explained = (): string => slipway(['explain', file], { cwd: service.path }).stdout;
    expect(explained()).not.toContain('tests');
    appendFileSync(path.join(service.path, file), '// Mine.\n');
    expect(explained()).toContain('its tests are not in this service');
    using tested = scratchService('--platform-tests');
    appendFileSync(path.join(tested.path, file), '// Mine.\n');
    expect(slipway(['explain', file], { cwd: tested.path }).stdout).not.toContain('not in this service');
  });

  it('eject and explain take paths from where the user is', () => {
    using service = scratchService();
    const inside = path.join(service.path, 'internal/platform/http');
    expect(json(['explain', 'problems.ts'], inside)).toMatchObject({
      path: 'internal/platform/http/problems.ts',
      state: 'unedited',
    });
    json(['eject', 'problems.ts', still], inside);
    expect(manifestOf(service.path)).toMatchObject({ ejected: ['internal/platform/http/problems.ts'] });
  });

  it.for([
    ['package.json', { state: 'unedited', ownership: 'merged', module: 'base' }],
    ['internal/platform/app/modules.gen.ts', { state: 'unedited', ownership: 'managed' }],
    ['README.md', { state: 'unedited', ownership: 'seed' }],
    ['slipway.json', { state: 'manifest' }],
    ['.slipway/lock.jsonl', { state: 'memory' }],
    ['mine/own.ts', { state: 'yours' }],
  ] as const)('explain says who owns %s', ([file, facts]) => {
    using service = scratchService();
    mkdirSync(path.join(service.path, 'mine'));
    writeFileSync(path.join(service.path, 'mine/own.ts'), '');
    expect(json(['explain', file], service.path)).toMatchObject({ path: file, ...facts });
    expect(slipway(['explain', file], { cwd: service.path }).stdout).toMatch(new RegExp(`^${file}\n {2}\\S`));
  });

  it('explain does not call a file edited that only follows another', () => {
    using service = scratchService('--modules', 'client');
    const file = 'pkg/client/contract.gen.ts';
    const { stdout } = slipway(['explain', file], { cwd: service.path });
    expect(stdout).toMatch(/derived: printed from another file[^]*as Slipway wrote it/);
    writeFileSync(path.join(service.path, file), '// of a route of my own\n');
    expect(slipway(['explain', file], { cwd: service.path }).stdout).toMatch(/derived:[^\n]*\n?$/);
  });

  it('explain knows edited and deleted files', () => {
    using service = scratchService();
    writeFileSync(path.join(service.path, 'package.json'), '{}');
    expect(json(['explain', 'package.json'], service.path)).toMatchObject({ state: 'edited' });
  });

  it('list and info tell what there is, in a service and outside', () => {
    using service = scratchService('--modules', 'postgres');
    for (const [cwd, installed] of [
      [service.path, true],
      [path.dirname(service.path), false],
    ] as const) {
      const { modules, presets } = json(['list'], cwd);
      expect(modules).toContainEqual({ id: 'postgres', category: 'data', summary: expect.any(String), installed });
      expect(presets).toContainEqual({
        name: 'database',
        summary: expect.any(String),
        modules: expect.arrayContaining(['docker', 'postgres']),
        resources: { item: expect.objectContaining({ plural: 'items' }) },
      });
    }
    expect(json(['info', 'postgres'], service.path)).toMatchObject({
      id: 'postgres',
      options: { version: { default: expect.any(String) } },
      files: expect.arrayContaining([{ path: 'internal/platform/postgres/module.ts', ownership: 'merged' }]),
    });
    const page = slipway(['info', 'postgres'], { cwd: service.path }).stdout;
    expect(page).toMatch(/^postgres \(data\): /);
    expect(page).toContain('DATABASE_URL');
  });

  it('doctor examines machine and service', () => {
    using service = scratchService();
    const findings = json(['doctor'], service.path, 1)['findings'];
    expect(findings).toContainEqual({
      what: 'store',
      ok: true,
      detail: expect.stringMatching(/^\d+ bases, all whole$/),
    });
    expect(findings).toContainEqual(expect.objectContaining({ what: 'dependencies', ok: false }));
    const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(service.path, 'package.json'), 'utf8'));
    for (const name of Object.keys({ ...dependencies, ...devDependencies }))
      mkdirSync(path.join(service.path, 'node_modules', name), { recursive: true });
    expect(slipway(['doctor'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['doctor', '--cwd', '/'], { cwd: service.path }).exitCode).toBe(1);
  });

  it('create-slipway is new', () => {
    using scratch = scratchFolder();
    const create = (...args: string[]) => slipway(args, { cwd: scratch.path, program: 'create-slipway' });
    expect(create('--help').stdout).toMatch(/^Usage: slipway new \[dir\]/);
    expect(create('--version').stdout).toMatch(/^\d+\.\d+\.\d+/);
    expectFault(
      create(),
      2,
      'a new service needs a folder, and there is no terminal to ask on\n  name it: create-slipway orders',
    );
    expectFault(create('add', 'postgres'), 2, 'slipway new takes one argument; given: add postgres');
    expect(create('orders', '--preset', 'database', still, '--no-git').exitCode).toBe(0);
    expect(manifestOf(path.join(scratch.path, 'orders'))).toMatchObject({
      modules: { postgres: {} },
      resources: { item: { plural: 'items' } },
    });
  });

  it('--version prints the version', () => {
    using scratch = scratchFolder();
    const { version } = JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../../package.json'), 'utf8'));
    for (const args of [['--version'], ['-v'], ['add', '--version']])
      expect(slipway(args, { cwd: scratch.path })).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });
});
