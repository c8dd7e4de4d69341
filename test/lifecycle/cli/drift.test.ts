import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway, treeOf } from '../../helpers/cli.ts';
import { scratchService } from '../../helpers/scratchService.ts';

const adding = ['add', 'postgres', '--no-install'];
const wiring = 'internal/platform/app/modules.gen.ts';
const compose = 'deploy/compose/compose.yaml';

/** Changes a file of a service as a user would. */
function edit(service: string, file: string, change: (text: string) => string): void {
  const place = path.join(service, file);
  const [before, after] = [readFileSync(place, 'utf8'), change(readFileSync(place, 'utf8'))];
  expect(after).not.toBe(before);
  writeFileSync(place, after);
}

function textOf(service: string, file: string): string {
  return readFileSync(path.join(service, file), 'utf8');
}

describe('check', () => {
  it.for([
    [
      'a managed file that was edited',
      (service: string) => edit(service, wiring, (text) => `${text}// mine\n`),
      wiring,
    ],
    ['a managed file that was deleted', (service: string) => rmSync(path.join(service, wiring)), 'it was missing'],
    [
      'a manifest that was edited by hand',
      (service: string) => edit(service, 'slipway.json', (text) => text.replace('"github"', '"gitlab"')),
      '.gitlab-ci.yml',
    ],
    [
      'a name that was edited by hand',
      (service: string) => edit(service, 'slipway.json', (text) => text.replace('"orders"', '"billing"')),
      'package.json',
    ],
    [
      'a lock that was edited',
      (service: string) => edit(service, '.slipway/lock.jsonl', (text) => `${text} `),
      'what Slipway keeps',
    ],
  ] as const)('exits with 4 for %s, and writes nothing', ([, change, told]) => {
    using service = scratchService('--modules=docker');
    change(service.path);
    const before = treeOf(service.path);
    const { exitCode, stdout, stderr } = slipway(['check'], { cwd: service.path });
    expect(exitCode).toBe(4);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Drift: .+ `slipway update`/m);
    expect(stdout).toContain(told);
    expect(JSON.parse(slipway(['check', '--json'], { cwd: service.path }).stdout)).toMatchObject({
      exitCode: 4,
      applied: false,
    });
    expect(treeOf(service.path)).toEqual(before);
  });

  it('shows what would change with --diff', () => {
    using service = scratchService();
    edit(service.path, 'slipway.json', (text) => text.replace('"orders"', '"billing"'));
    const { exitCode, stdout } = slipway(['check', '--diff'], { cwd: service.path });
    expect(exitCode).toBe(4);
    expect(stdout).toMatch(/^-.*orders.*\n\+.*billing/m);
  });

  it.for([
    [
      'a merged file was edited',
      (service: string) => edit(service, 'package.json', (text) => text.replace('{', '{\n  "author": "us",')),
    ],
    ['a seed was edited', (service: string) => appendFileSync(path.join(service, 'README.md'), 'mine\n')],
    ['a seed was deleted', (service: string) => rmSync(path.join(service, 'README.md'))],
    ['a merged file was deleted', (service: string) => rmSync(path.join(service, 'tsconfig.json'))],
    ['files were added', (service: string) => writeFileSync(path.join(service, 'mine.ts'), '')],
  ] as const)('exits with 0 when %s', ([, change]) => {
    using service = scratchService();
    change(service.path);
    expect(slipway(['check'], { cwd: service.path })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('No drift'),
    });
  });
});

describe('what the user did to files', () => {
  it('deleted files stay deleted', () => {
    using service = scratchService('--modules=docker');
    for (const file of ['tsconfig.json', 'README.md', compose]) rmSync(path.join(service.path, file));
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['update', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    for (const file of ['tsconfig.json', 'README.md', compose])
      expect(existsSync(path.join(service.path, file))).toBe(false);
    expect(slipway(['explain', compose], { cwd: service.path }).stdout).toContain('missing: Slipway leaves it out');
  });

  it('moved files are followed, also when they were edited, and not laid down twice', () => {
    using service = scratchService('--modules=docker');
    mkdirSync(path.join(service.path, 'compose'));
    renameSync(path.join(service.path, compose), path.join(service.path, 'compose/services.yaml'));
    appendFileSync(path.join(service.path, 'compose/services.yaml'), '# mine\n');
    const { exitCode, stdout } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`compose/services.yaml`);
    expect(existsSync(path.join(service.path, compose))).toBe(false);
    expect(textOf(service.path, 'compose/services.yaml')).toMatch(/postgres[^]*# mine\n/);
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['explain', 'compose/services.yaml'], { cwd: service.path }).stdout).toContain(
      `moved by you from ${compose}`,
    );
  });

  it('line ends and the byte order mark stay as they are', () => {
    using service = scratchService('--modules=docker');
    for (const file of ['package.json', compose, 'docs/modules.md'])
      edit(service.path, file, (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`);
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    for (const file of ['package.json', compose, 'docs/modules.md']) {
      expect(textOf(service.path, file)).toMatch(/^\uFEFF[^]*(postgres|kysely)/);
      expect(textOf(service.path, file)).not.toMatch(/[^\r]\n/);
    }
    expect(slipway(['remove', 'postgres', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(textOf(service.path, 'package.json')).not.toMatch(/[^\r]\n/);
  });

  it('modes stay as they are', () => {
    using service = scratchService();
    chmodSync(path.join(service.path, 'package.json'), 0o664);
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(statSync(path.join(service.path, 'package.json')).mode & 0o777).toBe(0o664);
  });

  it('edits of shared files survive add and remove', () => {
    using service = scratchService();
    edit(service.path, 'package.json', (text) =>
      text.replace('"scripts": {', '"scripts": {\n    "mine": "echo mine",'),
    );
    edit(service.path, '.env.example', (text) => `# mine\n${text}`);
    const before = treeOf(service.path);
    expect(slipway(adding, { cwd: service.path }).exitCode).toBe(0);
    expect(textOf(service.path, 'package.json')).toContain('"mine": "echo mine"');
    expect(textOf(service.path, '.env.example')).toMatch(/^# mine\n/);
    expect(slipway(['remove', 'postgres', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    expect(treeOf(service.path)).toEqual(before);
  });
});

describe('a real conflict', () => {
  it.for([[], ['--conflict=stop'], ['--conflict=stop', '--json']])(
    'stops everything with %j: exit code 3, both sides are told',
    (flags) => {
      using service = scratchService();
      edit(service.path, wiring, (text) => text.replace('export const modules = [', 'export const modules = [mine, '));
      const before = treeOf(service.path);
      const { exitCode, stdout, stderr } = slipway([...adding, ...flags], { cwd: service.path });
      expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: '' });
      if (flags.includes('--json')) {
        expect(JSON.parse(stdout)).toMatchObject({
          exitCode: 3,
          applied: false,
          entries: expect.arrayContaining([
            expect.objectContaining({
              path: wiring,
              action: 'conflict',
              conflicts: [
                expect.objectContaining({
                  at: expect.stringMatching(/line \d+/),
                  yours: expect.stringContaining('mine'),
                }),
              ],
            }),
          ]),
        });
      } else {
        expect(stdout).toMatch(/internal\/platform\/app\/modules\.gen\.ts, line \d+/);
        expect(stdout).toMatch(/yours +│ /);
        expect(stdout).toMatch(/slipway +│ /);
        expect(stdout).toContain('export const modules = [mine, ');
        expect(stdout).toContain(
          '1 file has conflicts; nothing was written. Choose with --conflict=ours, theirs or markers',
        );
      }
      expect(treeOf(service.path)).toEqual(before);
    },
  );

  it.for([
    ['ours', /\[mine, (?![^]*postgres\])/, 0],
    ['theirs', /^(?![^]*mine)[^]*postgres\]/, 0],
    ['markers', /^<{7} [^]*\[mine, [^]*^={7}$[^]*postgres\][^]*^>{7} /m, 3],
  ] as const)('is settled by --conflict=%s', ([mode, expected, exitCode]) => {
    using service = scratchService();
    edit(service.path, wiring, (text) => text.replace('export const modules = [', 'export const modules = [mine, '));
    expect(slipway([...adding, `--conflict=${mode}`], { cwd: service.path }).exitCode).toBe(exitCode);
    expect(existsSync(path.join(service.path, 'internal/platform/postgres/module.ts'))).toBe(true);
    expect(textOf(service.path, wiring)).toMatch(expected);
  });

  it('in a merged file names the line and both sides, and each mode settles that place alone', () => {
    using service = scratchService('--preset=minimal');
    const page = 'docs/modules.md';
    edit(service.path, page, (text) =>
      text
        .replace('None beside the base yet.', 'Ours are elsewhere.')
        .replace('## Try it\n', '## Try it\n\nMy own words.\n'),
    );
    const before = treeOf(service.path);
    const { exitCode, stdout } = slipway(adding, { cwd: service.path });
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/docs\/modules\.md, line \d+\n {4}yours +│ Ours are elsewhere\.\n {4}slipway +│ \| module /);
    expect(treeOf(service.path)).toEqual(before);
    expect(slipway([...adding, '--conflict=theirs'], { cwd: service.path }).exitCode).toBe(0);
    expect(textOf(service.path, page)).toMatch(/postgres[^]*My own words\.\n[^]*### postgres/);
    expect(textOf(service.path, page)).not.toContain('Ours are elsewhere.');
  });
});
