import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCatalogue } from '../../../generators/catalogue.ts';
import { printCatalogue } from '../../../generators/engine/catalogueText.ts';
import { slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';
import { changed as next, nextCatalogue } from '../../helpers/secondCatalogue.ts';

type Plan = Record<string, unknown> & { entries: Record<string, unknown>[]; changes: Record<string, unknown>[] };

const still = '--no-install';

/** Saves the plan of a command beside a service. */
function savePlan(
  service: string,
  command: readonly string[],
  change: (plan: Plan) => unknown = (plan) => plan,
): string {
  const { exitCode, stdout } = slipway(['plan', ...command, '--json'], { cwd: service });
  expect(exitCode).toBe(0);
  const file = path.join(path.dirname(service), 'plan.json');
  const made = change(JSON.parse(stdout));
  writeFileSync(file, typeof made === 'string' ? made : JSON.stringify(made));
  return file;
}

/** The plan's first change, made into another. */
function withChange(plan: Plan, change: Record<string, unknown>): Plan {
  return { ...plan, changes: [{ ...plan.changes[0], ...change }, ...plan.changes.slice(1)] };
}

/** The plan's first entry, with its change, made one of another file. */
function moved(plan: Plan, file: string): Plan {
  const [first, ...more] = plan.entries;
  const changed = withChange(plan, { path: file, expect: null });
  return { ...changed, entries: [{ ...first, path: file, action: 'create' }, ...more] };
}

describe('a plan', () => {
  it.for([
    ['add', 'postgres'],
    ['ci', '--provider', 'gitlab'],
  ])('of %j writes nothing, and can be applied later', (command) => {
    using planned = scratchService();
    using done = scratchService();
    const before = treeOf(planned.path);
    const file = savePlan(planned.path, command);
    expect(treeOf(planned.path)).toEqual(before);
    expect(slipway(['apply', file, still], { cwd: planned.path }).exitCode).toBe(0);
    expect(slipway([...command, still], { cwd: done.path }).exitCode).toBe(0);
    expect(treeOf(planned.path)).toEqual(treeOf(done.path));
    expect(slipway(['check'], { cwd: planned.path }).exitCode).toBe(0);
  });

  it('is shown by apply --diff with the content before the change', () => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres']);
    const { stdout } = slipway(['apply', file, still, '--diff'], { cwd: service.path });
    expect(stdout).toMatch(/^--- a\/package\.json\n[^]*^ {3}"dependencies": \{\n[^]*^\+ {4}"kysely"/m);
  });

  it('is told in words without --json', () => {
    using service = scratchService();
    const { exitCode, stdout } = slipway(['plan', 'add', 'postgres'], { cwd: service.path });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      / {2}create +internal\/platform\/postgres\/[^]*Plan: \d+ files created, \d+ updated; nothing was written\.\n/,
    );
  });

  it('is refused once the service has changed, and nothing is written', () => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres']);
    const changed = path.join(service.path, 'package.json');
    writeFileSync(changed, `${readFileSync(changed, 'utf8')}\n`);
    const before = treeOf(service.path);
    expectFault(
      slipway(['apply', file], { cwd: service.path }),
      1,
      'package.json has changed since the plan was made\n  run the command again',
    );
    expect(treeOf(service.path)).toEqual(before);
  });

  it('is refused when it was applied already', () => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres']);
    expect(slipway(['apply', file, still], { cwd: service.path }).exitCode).toBe(0);
    expectFault(slipway(['apply', file, still], { cwd: service.path }), 1, 'has changed since the plan was made');
  });

  it('of a service that was removed meanwhile finds none', () => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres']);
    rmSync(path.join(service.path, 'slipway.json'));
    expectFault(slipway(['apply', file], { cwd: service.path }), 2, 'is not inside a service');
  });

  it('with conflicts is refused', () => {
    using service = scratchService();
    writeFileSync(path.join(service.path, 'internal/platform/app/modules.gen.ts'), '// mine\n');
    const { exitCode, stdout } = slipway(['plan', 'add', 'postgres', '--json'], { cwd: service.path });
    expect(exitCode).toBe(3);
    const file = path.join(path.dirname(service.path), 'plan.json');
    writeFileSync(file, stdout);
    const before = treeOf(service.path);
    expectFault(
      slipway(['apply', file], { cwd: service.path }),
      2,
      `${file} has conflicts\n  make it again with --conflict=`,
    );
    expect(treeOf(service.path)).toEqual(before);
  });

  const edits: Readonly<Record<string, [(plan: Plan) => unknown, string]>> = {
    'leads up': [
      (plan) => withChange(plan, { path: '../outside.txt', expect: null }),
      'the path "../outside.txt" contains ".."',
    ],
    'is absolute': [(plan) => withChange(plan, { path: '/tmp/outside.txt', expect: null }), 'is absolute'],
    'writes into git': [
      (plan) => withChange(plan, { path: '.git/hooks/post-commit', expect: null }),
      "git's own folder",
    ],
    'writes into the transaction': [
      (plan) => moved(plan, '.slipway/tx/journal.json'),
      'where Slipway keeps its own state',
    ],
    'changes a file twice': [
      (plan) => ({ ...plan, changes: [...plan.changes, ...plan.changes] }),
      'changes ".env.example" twice',
    ],
    'has no hash': [(plan) => withChange(plan, { expect: 'x' }), 'holds no changes'],
    'has no mode': [(plan) => withChange(plan, { mode: '0644' }), 'holds no changes'],
    'lets a program run as its owner': [(plan) => withChange(plan, { mode: 0o4755 }), 'holds no changes'],
    'removes only by halves': [(plan) => withChange(plan, { remove: false }), 'holds no changes'],
    'has an action that is none': [
      (plan) => ({ ...plan, entries: [{ ...plan.entries[0], action: 'rob' }] }),
      'holds no plan entries',
    ],
    'has no content': [(plan) => withChange(plan, { content: 7 }), 'holds no changes'],
    'has changes that are no list': [(plan) => ({ ...plan, changes: {} }), 'holds no changes'],
    'has entries that are none': [(plan) => ({ ...plan, entries: [null] }), 'holds no plan entries'],
    'is of another version': [(plan) => ({ ...plan, plan: 2 }), 'is not a plan of version 1'],
    'is something else': [() => ({}), 'is not a plan of version 1'],
    'is null': [() => 'null', 'is not a plan of version 1'],
    'is cut off': [(plan) => JSON.stringify(plan).slice(0, 5000), 'is not JSON'],
    'is empty': [() => '', 'is not JSON'],
  };

  it.for(Object.entries(edits))('that was edited and %s is refused, and nothing is written', ([, [edit, message]]) => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres'], edit);
    const before = treeOf(path.dirname(service.path));
    expectFault(slipway(['apply', file], { cwd: service.path }), 2, message);
    expect(treeOf(path.dirname(service.path))).toEqual(before);
  });

  const hidden = 'changes what its entries do not show';
  const workflow = {
    path: '.github/workflows/own.yaml',
    expect: null,
    mode: 0o644,
    encoding: 'utf8',
    content: 'x: 1\n',
  };
  const notShown: Readonly<Record<string, [(plan: Plan) => Plan, string]>> = {
    'writes files that no entry names': [
      (plan) => ({ ...plan, entries: plan.entries.filter(({ path: file }) => file === 'README.md') }),
      `${hidden}: ".env.example", `,
    ],
    'writes one file more': [
      (plan) => ({ ...plan, changes: [...plan.changes, workflow] }),
      `${hidden}: ".github/workflows/own.yaml"`,
    ],
    'removes the manifest': [
      ({ changes, ...plan }) => ({
        ...plan,
        changes: changes.map((change) =>
          change['path'] === 'slipway.json' ? { path: change['path'], expect: change['expect'], remove: true } : change,
        ),
      }),
      `${hidden}: "slipway.json"`,
    ],
    'keeps what it writes': [
      (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, action: 'keep' })) }),
      'says "keep .env.example", and its changes do something else',
    ],
    'creates what is there': [
      (plan) => ({ ...plan, entries: plan.entries.map((entry) => ({ ...entry, action: 'create' })) }),
      'says "create .env.example", and its changes do something else',
    ],
    'updates what it does not write': [
      (plan) => ({ ...plan, entries: [{ ...plan.entries[0], path: 'LICENSE', action: 'update' }, ...plan.entries] }),
      'says "update LICENSE", and its changes do something else',
    ],
    'names a file twice': [
      (plan) => ({ ...plan, entries: [...plan.entries, { ...plan.entries[0], action: 'update' }] }),
      'says "update .env.example", and its changes do something else',
    ],
    'moves what is not removed': [
      (plan) => ({
        ...plan,
        entries: [{ ...plan.entries[0], from: 'old', action: 'update' }, ...plan.entries.slice(1)],
      }),
      'says "update .env.example", and its changes do something else',
    ],
  };

  it.for(Object.entries(notShown))('that %s is refused, also when it is only looked at', ([, [edit, message]]) => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres'], edit);
    const before = treeOf(service.path);
    for (const flags of [[still], ['--dry-run', '--diff'], ['--dry-run', '--json']]) {
      const result = slipway(['apply', file, ...flags], { cwd: service.path });
      expect(result.exitCode).toBe(2);
      expect(result.stderr).toContain(message);
    }
    expect(treeOf(service.path)).toEqual(before);
  });

  it('is shown in full by --dry-run --diff, with what Slipway writes for itself', () => {
    using service = scratchService();
    const image = Buffer.from([0, 1, 2, 255]).toString('base64');
    const file = savePlan(service.path, ['add', 'postgres'], (plan) => ({
      ...plan,
      entries: [...plan.entries, { path: 'logo.png', action: 'create', module: '', reason: '', conflicts: [] }],
      changes: [
        ...plan.changes.map((change) =>
          change['path'] === 'slipway.json' ? { ...change, content: '{ "forged": true }\n' } : change,
        ),
        { path: 'logo.png', expect: null, mode: 0o755, encoding: 'base64', content: image },
      ],
    }));
    const changes: Plan['changes'] = JSON.parse(readFileSync(file, 'utf8')).changes;
    const { exitCode, stdout } = slipway(['apply', file, '--dry-run', '--diff'], { cwd: service.path });
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    for (const { path: name, remove } of changes)
      expect(lines).toContain(`${remove ? '--- a' : '+++ b'}/${String(name)}`);
    expect(stdout).toContain('+{ "forged": true }\n');
    expect(stdout).toContain(`new file mode 100755\n--- /dev/null\n+++ b/logo.png\n@@ -0,0 +1,1 @@\n+${image}\n`);
  });

  it('of an update, in which files are renamed, can be applied', () => {
    using planned = scratchService();
    using done = scratchService();
    const second = path.join(path.dirname(planned.path), 'catalogue.txt');
    writeFileSync(second, printCatalogue(nextCatalogue(loadCatalogue('dist/catalogue.txt', process.cwd()))));
    const command = ['update', '--catalogue', second];
    const file = savePlan(planned.path, command);
    expect(readFileSync(file, 'utf8')).toContain(`"from":"${next.renamed.from}"`);
    expect(slipway(['apply', file, still], { cwd: planned.path })).toMatchObject({ exitCode: 0 });
    expect(slipway([...command, still], { cwd: done.path }).exitCode).toBe(0);
    expect(treeOf(planned.path)).toEqual(treeOf(done.path));
  });

  it('of a change that has been carried out is none', () => {
    using service = scratchService();
    const { stdout } = slipway(['add', 'postgres', still, '--json'], { cwd: service.path });
    const file = path.join(path.dirname(service.path), 'plan.json');
    writeFileSync(file, stdout);
    expectFault(slipway(['apply', file], { cwd: service.path }), 2, 'holds no changes');
  });

  it('is not applied with --dry-run', () => {
    using service = scratchService();
    const file = savePlan(service.path, ['add', 'postgres']);
    const before = treeOf(service.path);
    expect(slipway(['apply', file, '--dry-run', '--diff'], { cwd: service.path })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('+++ b/package.json'),
    });
    expect(treeOf(service.path)).toEqual(before);
  });
});

describe('an interrupted run', () => {
  it('is ended by doctor, and told of until then', () => {
    using service = scratchService();
    const before = treeOf(service.path);
    const transaction = path.join(service.path, '.slipway/tx');
    interrupt(transaction);
    expectFault(
      slipway(['check'], { cwd: service.path }),
      1,
      'an earlier run was interrupted: its work is in .slipway/tx\n  end it with: slipway doctor',
    );
    expect(slipway(['doctor'], { cwd: service.path }).stdout).toContain('an interrupted run was rolled back');
    expect(existsSync(transaction)).toBe(false);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('is ended by the next command that writes', () => {
    using service = scratchService();
    interrupt(path.join(service.path, '.slipway/tx'));
    const { exitCode, stdout } = slipway(['add', 'postgres', still], { cwd: service.path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('an interrupted run was rolled back');
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
  });

  it.for([
    '{',
    '{"version":1,"state":"committed","entries":[{"path":"../outside","before":null,"after":null,"staged":null}]',
  ])('whose record is %s is left to the user', (text) => {
    using service = scratchService();
    interrupt(path.join(service.path, '.slipway/tx'), text);
    const before = treeOf(path.dirname(service.path));
    const result = slipway(['add', 'postgres', still], { cwd: service.path });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/^error .*(damaged|contains "\.\.")/);
    expect(treeOf(path.dirname(service.path))).toEqual(before);
  });
});

/** What a run leaves that is killed before it has decided. */
function interrupt(transaction: string, journal = '{"version":1,"state":"preparing","folders":[]'): void {
  mkdirSync(transaction);
  const origin = `"host":${JSON.stringify(hostname())},"folder":"${statSync(transaction).ino}"}`;
  writeFileSync(path.join(transaction, 'journal.json'), `${journal},${origin}`);
  writeFileSync(path.join(transaction, '0'), 'half of a f');
}
