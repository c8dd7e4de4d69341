import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder, slipway } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';

const quick = ['--yes', '--no-install', '--no-git'];

/** Names that would be something else to a shell, a file system, YAML, npm, Kubernetes, or a template. */
const badNames = [
  ...['Orders', 'a b', 'a_b', 'a.b', 'a--b', 'orders-', '-orders', '1orders'],
  ...['true', 'null', 'yes', 'con', 'node-modules', 'constructor', '__proto__', 'localhost', 'default'],
  ...['x;id', '$(id)', '`id`', '${x}', '{{x}}', '<%= x %>', 'a&b', 'a|b', 'a>b', '*', '~', "a'b", 'a"b', 'a\\b'],
  ...['a: b', '#a', '&a', '!a', '@a', '[a]', '{a}', '%a', 'a\nb', 'a\tb', '\u001B[31mred', '\u202Eevil', 'a\u0000b'],
  ...['bestellung-ä', '注文', '🚢', 'é', 'ＡＢＣ'],
  'a'.repeat(300),
];

describe('a name that will not do', () => {
  const typed = badNames.filter((name) => !name.includes('\0'));

  it.for(typed)('%j is refused as a folder, and nothing is written', (name) => {
    using scratch = scratchFolder();
    const result = slipway(['new', ...quick, '--', name], { cwd: scratch.path });
    expectFault(result, 2, /cannot be the name of a service: ./);
    expect(result.stderr).toContain('name it with --name');
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  it.for(typed.filter((_, index) => index % 5 === 0))('%j is refused as --name', (name) => {
    using scratch = scratchFolder();
    expectFault(slipway(['new', 'orders', `--name=${name}`, ...quick], { cwd: scratch.path }), 2, 'cannot be the name');
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  it('is refused in a file of answers, and so is what no command line can carry', () => {
    using scratch = scratchFolder();
    const answers = path.join(scratch.path, 'answers.json');
    for (const name of ['../orders', '/orders', '', 'a\u0000b', '\uD800', '{{x}}', 'null']) {
      writeFileSync(answers, JSON.stringify({ directory: 'orders', name }));
      expectFault(slipway(['new', '--answers=answers.json', ...quick], { cwd: scratch.path }), 2, 'cannot be the name');
    }
    expect(readdirSync(scratch.path)).toEqual(['answers.json']);
  });

  it('is a path only as a folder', () => {
    using scratch = scratchFolder();
    for (const name of ['../orders', 'a/orders', '/orders', '..', '.'])
      expectFault(slipway(['new', '--name', name, ...quick], { cwd: scratch.path }), 2, 'cannot be the name');
    expect(slipway(['new', 'deep/down/orders', ...quick], { cwd: scratch.path }).exitCode).toBe(0);
    expect(manifestIn(scratch.path, 'deep/down/orders')).toMatchObject({ service: { name: 'orders' } });
  });

  it('may be the name of the folder all the same', () => {
    using scratch = scratchFolder();
    const folder = 'My Orders (new) ünï';
    const { exitCode, stdout } = slipway(['new', folder, '--name', 'orders', ...quick], { cwd: scratch.path });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`cd '${folder}'`);
    expect(manifestIn(scratch.path, folder)).toMatchObject({ service: { name: 'orders' } });
    expect(slipway(['check'], { cwd: path.join(scratch.path, folder) }).exitCode).toBe(0);
  });

  it('of a folder that no file system takes is told as such', () => {
    using scratch = scratchFolder();
    const result = slipway(['new', 'a'.repeat(300), '--name', 'orders', ...quick], { cwd: scratch.path });
    expectFault(result, 2, 'its path is too long');
    expectFault(slipway(['new', '', ...quick], { cwd: scratch.path }), 2, 'the folder has no name');
    expect(readdirSync(scratch.path)).toEqual([]);
  });
});

describe('a description', () => {
  it.for(['two\nlines', 'say "hi"', 'a \\ b', '{{name}}', '${{ secrets.X }}', '`id`', '<b>', '\u001B[31m', 'a\u2028b'])(
    '%j is refused, saying what would do',
    (description) => {
      using scratch = scratchFolder();
      const result = slipway(['new', 'orders', '--description', description, ...quick], { cwd: scratch.path });
      expectFault(result, 2, 'cannot be the description: a description is one line, without');
      expect(readdirSync(scratch.path)).toEqual([]);
    },
  );

  it('may not be longer than 200 characters', () => {
    using scratch = scratchFolder();
    const result = slipway(['new', 'orders', '--description', 'x'.repeat(300), ...quick], { cwd: scratch.path });
    expectFault(result, 2, 'the description is 300 characters long; at most 200 will do');
  });

  it('with everything else arrives as it was given', () => {
    using scratch = scratchFolder();
    const description = "Peter's orders: 100 % #1 & $2 – *für* 注文 🚢, [x] | ~";
    expect(slipway(['new', 'orders', '--description', description, ...quick], { cwd: scratch.path }).exitCode).toBe(0);
    expect(manifestIn(scratch.path, 'orders')).toMatchObject({ service: { description } });
    const text = readFileSync(path.join(scratch.path, 'orders/package.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ description });
    expect(readFileSync(path.join(scratch.path, 'orders/README.md'), 'utf8')).toContain(description);
  });
});

describe('the package manager', () => {
  const manifestFrom = (agent: string | undefined, ...flags: string[]): unknown => {
    using scratch = scratchFolder();
    const env = { npm_config_user_agent: agent };
    expect(slipway(['new', 'orders', ...flags, ...quick], { cwd: scratch.path, env }).exitCode).toBe(0);
    return manifestIn(scratch.path, 'orders');
  };

  it.for([
    ['npm/11.6.1 node/v24.10.0 linux x64 workspaces/false', 'npm'],
    ['pnpm/10.34.8 npm/? node/v24.10.0 linux x64', 'pnpm'],
    ['yarn/4.18.1 npm/? node/v24.10.0 linux x64', 'yarn'],
    ['yarn/1.22.22 npm/? node/v24.10.0 linux x64', 'yarn'],
    ['bun/1.4.5 npm/? node/v24.3.0 linux x64', 'bun'],
    ['npminstall/7.12.0 npm/? node/v24.10.0 linux x64', 'npm'],
    ['deno/2.5.0 npm/? deno/2.5.0 linux x86_64', 'npm'],
    ['__proto__/1', 'npm'],
    ['', 'npm'],
    [undefined, 'npm'],
  ] as const)('is the one that runs the command: %s gives %s', ([agent, name]) => {
    expect(manifestFrom(agent)).toMatchObject({ packageManager: name });
  });

  it('is the one that a flag names', () => {
    const manifest = manifestFrom('pnpm/10.34.8 npm/?', '--package-manager', 'bun');
    expect(manifest).toMatchObject({ packageManager: 'bun' });
  });
});

describe('a file of answers', () => {
  it.for([
    ['{', 'is not JSON'],
    ['', 'is not JSON'],
    ['[]', 'does not hold an object of answers'],
    ['null', 'does not hold an object of answers'],
    ['{"nam": "orders"}', '/nam: there is no such answer\n  did you mean "name"?'],
    ['{"__proto__": {}}', '/__proto__: there is no such answer'],
    ['{"name": 7}', '/name: expected a string'],
    ['{"modules": "postgres"}', '/modules: expected a list of strings'],
    ['{"name": "orders", "modules": ["postgress"]}', 'there is no module "postgress"\n  did you mean "postgres"?'],
    ['{"name": "orders", "preset": "huge"}', 'there is no preset "huge"\n  known: '],
    [
      '{"name": "orders", "packageManager": "deno"}',
      'there is no package manager "deno"\n  known: npm, pnpm, yarn, bun',
    ],
    ['{"name": "orders", "ci": ["gitlob"]}', 'there is no CI provider "gitlob"\n  did you mean "gitlab"?'],
    ['{"name": "orders", "set": ["postgres"]}', '--set takes module.option=value'],
    ['{"packageManager": "npm"}', 'a new service needs a folder, and there is no terminal to ask on\n  name it: '],
  ] as const)('%s is refused: %s', ([text, message]) => {
    using scratch = scratchFolder();
    writeFileSync(path.join(scratch.path, 'answers.json'), text);
    expectFault(slipway(['new', '--answers', 'answers.json', ...quick], { cwd: scratch.path }), 2, message);
    expect(readdirSync(scratch.path)).toEqual(['answers.json']);
  });

  it('that is not there, or is a folder, is told as such', () => {
    using scratch = scratchFolder();
    expectFault(
      slipway(['new', '--answers', 'a.json'], { cwd: scratch.path }),
      2,
      /cannot read the answers: there is no .+a\.json/,
    );
    expectFault(slipway(['new', '--answers', '.'], { cwd: scratch.path }), 2, 'cannot read the answers');
  });

  it('says all that flags can say, and flags go before it', () => {
    using scratch = scratchFolder();
    const answers = {
      directory: 'billing',
      name: 'invoices',
      description: 'Writes invoices',
      modules: ['postgres'],
      set: ['postgres.version=17'],
      packageManager: 'pnpm',
      ci: ['gitlab'],
    };
    writeFileSync(path.join(scratch.path, 'answers.json'), JSON.stringify(answers));
    const args = ['new', '--answers', 'answers.json', '--ci', 'none', '--no-install', '--no-git'];
    expect(slipway(args, { cwd: scratch.path }).exitCode).toBe(0);
    expect(manifestIn(scratch.path, 'billing')).toMatchObject({
      service: { name: 'invoices', description: 'Writes invoices' },
      packageManager: 'pnpm',
      ci: [],
      modules: { postgres: { version: '17' } },
    });
  });
});

function manifestIn(parent: string, folder: string): unknown {
  return JSON.parse(readFileSync(path.join(parent, folder, 'slipway.json'), 'utf8'));
}
