import { hash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import type { Catalogue, CatalogueModule, TemplateFile } from '../../generators/engine/model.ts';
import { printCatalogue } from '../../generators/engine/catalogueText.ts';

/** The text of every file that must not be printed. Its first word looks like that of a key. */
export const secret = 'CANARY-5f1c of a secret\nTOKEN=CANARY-5f1c\n';

/** What each character of the terminal's control does is irrelevant: none may come out. */
export const escapes = '\u001B[2J\u001B]0;owned\u0007\u009B31m\u202Eltr\u200B\u2028\r\u007F';

/** A service of a stranger on the disk of a user. */
export interface Place {
  /** The service. */
  readonly root: string;
  /** A folder of the user beside it, with the file `secret`. */
  readonly outside: string;
  /** Where the plan or the catalogue of a stranger lies. */
  readonly file: string;
  /** JavaScript that leaves a mark when it is run. */
  readonly script: string;
}

type Plant = (place: Place) => void;

function write(name: string, text: string): Plant {
  return ({ root }) => outputFileSync(path.join(root, name), text);
}

function link(name: string, target: string): Plant {
  return ({ root }) => {
    rmSync(path.join(root, name), { recursive: true, force: true });
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    symlinkSync(target, path.join(root, name));
  };
}

function all(...plants: readonly Plant[]): Plant {
  return (place) => plants.forEach((plant) => plant(place));
}

function manifest(edit: (manifest: Record<string, unknown>) => unknown): Plant {
  return ({ root }) => {
    const file = path.join(root, 'slipway.json');
    outputFileSync(file, JSON.stringify(edit(JSON.parse(readFileSync(file, 'utf8')))));
  };
}

/** Edits `package.json` by text, because a value cannot have a key twice. */
function inPackage(from: string, to: string): Plant {
  return ({ root }) => {
    const file = path.join(root, 'package.json');
    outputFileSync(
      file,
      readFileSync(file, 'utf8').replace(from, () => to),
    );
  };
}

function sha256(text: string): string {
  return hash('sha256', text);
}

/** Adds lines to the lock, as Slipway itself would print them, and the bases that they name. */
function locked(...records: readonly { path: string; at?: string; base?: string; module?: string }[]): Plant {
  return ({ root }) => {
    const [lock, bases] = ['lock', 'base'].map((name) => path.join(root, `.slipway/${name}.jsonl`));
    const known = new Set(records.map((record) => record.path));
    const kept = readFileSync(lock ?? '', 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => !known.has(JSON.parse(line).path));
    const added = records.map(({ base = 'forged\n', module = 'base', ...where }) => {
      appendFileSync(bases ?? '', `${JSON.stringify({ hash: sha256(base), text: base })}\n`);
      const record = {
        path: where.path,
        module,
        ownership: 'merged',
        hash: sha256(base),
        ...(where.at && { at: where.at }),
      };
      return JSON.stringify({ ...record, sum: sha256(JSON.stringify(record)).slice(0, 8) });
    });
    outputFileSync(lock ?? '', `${[...kept, ...added].join('\n')}\n`);
  };
}

/** Forges what Slipway wrote last, so that every command merges the file with what Slipway would write now. */
function forged(name: string, base: (yours: string) => string): Plant {
  return (place) => locked({ path: name, base: base(readFileSync(path.join(place.root, name), 'utf8')) })(place);
}

/** A file in the place of one of Slipway, which every command merges. */
function conflicting(name: string, yours: string, base: string): Plant {
  return all(
    write(name, yours),
    forged(name, () => base),
  );
}

/** A file that takes no space on the disk. */
function sparse(name: string, size: number): Plant {
  return ({ root }) => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    const descriptor = openSync(path.join(root, name), 'w');
    ftruncateSync(descriptor, size);
    closeSync(descriptor);
  };
}

/** A journal that would delete the user's file `precious.md`, as far as a stranger can know what belongs into it. */
function journal(origin: object): Plant {
  const before = sha256('precious\n');
  const entries = [{ path: 'precious.md', before, after: null, staged: null }];
  return write('.slipway/tx/journal.json', JSON.stringify({ version: 1, state: 'committed', entries, ...origin }));
}

/** Makes the service a repository that ignores `local/`. */
const repository: Plant = ({ root }) => {
  appendFileSync(path.join(root, '.gitignore'), '\nlocal/\n');
  for (const args of [
    ['init', '--quiet'],
    ['add', '--all'],
    ['-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '--quiet', '--no-verify', '--message=start'],
  ])
    spawnSync('git', args, { cwd: root });
};

/** Deletes a file of Slipway, so that every command searches the whole tree for it. */
const searched: Plant = ({ root }) => rmSync(path.join(root, 'internal/platform/http/admission.ts'));

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}

/** Trees of strangers: what is wrong → how to plant it. A new hostile tree is one more entry. */
export const trees: Readonly<Record<string, Plant>> = {
  'escapes in contents': all(
    ...['README.md', '.env.example', 'docs/operations.md', 'tsconfig.json', 'deploy/compose/service.yaml'].flatMap(
      (name) => [
        ({ root }: Place) => appendFileSync(path.join(root, name), `# ${escapes}\n`),
        forged(name, (yours) => yours.replaceAll('\n', '!\n')),
      ],
    ),
    inPackage('"scripts": {', `"${JSON.stringify(`${escapes}\nerror forged`).slice(1, -1)}": 1, "scripts": {`),
    forged('package.json', (yours) =>
      yours.replaceAll('error forged": 1', 'error forged": 2').replaceAll('node ', 'nude '),
    ),
  ),
  'escapes in keys of the manifest': manifest((it) => ({
    ...it,
    [`${escapes}\nerror forged`]: 1,
    modules: { [escapes]: {} },
  })),
  'escapes in values of the manifest': manifest((it) => ({
    ...it,
    catalogue: `0.1.0-${escapes}`,
    service: { name: escapes, description: escapes },
    ejected: [escapes],
  })),
  'escapes in paths of the lock': locked({ path: `a${escapes}` }, { path: 'b', at: `c\nerror forged` }),
  'escapes in a module of the lock': locked({ path: 'README.md', module: `x\n${escapes}` }),
  'escapes in names of files': ({ root }) => {
    for (const name of [`a${escapes}b.ts`, `internal/\u202Ets.exe`])
      outputFileSync(path.join(root, name), "import 'pg';\n");
    searched({ root } as Place);
  },
  'the place of a file is .env': locked({ path: 'docs/forged.md', at: '.env' }, { path: '.env' }),
  'the place of a template is .env': locked({ path: 'README.md', at: '.env' }, { path: '.env.example', at: '.env' }),
  '.env.example is gone, and .env is like it': ({ root }) => {
    const example = readFileSync(path.join(root, '.env.example'), 'utf8');
    outputFileSync(path.join(root, '.env'), `${example}\n${secret}`);
    rmSync(path.join(root, '.env.example'));
  },
  'links to .env': all(link('README.md', '.env'), link('tsconfig.json', '.env'), link('.env.example', '.env')),
  'the manifest is a link to .env': link('slipway.json', '.env'),
  'the lock is a link to .env': link('.slipway/lock.jsonl', '../.env'),
  'a link to a key': all(write('config/server.pem', secret), link('tsconfig.json', 'config/server.pem')),
  'a link to an ignored file': all(
    write('local/notes.txt', secret),
    link('tsconfig.json', 'local/notes.txt'),
    repository,
  ),
  'the place of a file is an ignored file': all(
    write('local/notes.txt', secret),
    locked({ path: 'tsconfig.json', at: 'local/notes.txt' }),
    repository,
  ),
  'a file of a record is ignored by git, or unknown to it': all(
    write('local/notes.txt', secret),
    locked({ path: 'local/notes.txt' }, { path: 'precious.md' }),
    repository,
    ({ root }) => void spawnSync('git', ['rm', '--quiet', '--cached', 'precious.md'], { cwd: root }),
  ),
  'links to files outside': all(link('README.md', '../outside/secret'), link('tsconfig.json', '../outside/secret')),
  'a link to a folder outside': link('docs', '../outside'),
  'the manifest is a link to a file outside': link('slipway.json', '../outside/secret'),
  'the folder .slipway is a link': link('.slipway', '../outside'),
  'package.json is a link to a file outside': link('package.json', '../outside/secret'),
  'a journal of another machine': journal({}),
  'a journal that guesses': journal({ host: hostname(), folder: '1' }),
  'a journal that would make folders': write(
    '.slipway/tx/journal.json',
    JSON.stringify({ version: 1, state: 'preparing', folders: ['empty'], host: hostname(), folder: '1' }),
  ),
  'a lock of another machine': write(
    '.slipway/running.json',
    JSON.stringify({ pid: 1, host: `other${escapes}`, started: `now${escapes}` }),
  ),
  'code where node, npm and plop look': (place) => {
    for (const name of ['package.json.js', 'index.js', 'plopfile.js', '.pnpmfile.cjs', 'slipway.config.js'])
      outputFileSync(path.join(place.root, name), place.script);
  },
  'names that other systems read otherwise': locked(
    ...[
      '.Slipway/tx/journal.json',
      '.SLIPWAY/lock.jsonl',
      'Slipway.json',
      'SLIPWA~1/lock.jsonl',
      '.slipway./lock.jsonl',
      '.g\u200Cit/hooks/pre-commit',
      '.git /config',
      'GIT~1/config',
      'README.md:stream',
      'docs./a.md',
      'aux',
      'docs/con.md',
    ].map((at) => ({ path: 'docs/forged.md', at })),
  ),
  'a manifest of 100 MB': sparse('slipway.json', 100 * 2 ** 20),
  'a manifest that is nested': ({ root }) => {
    const file = path.join(root, 'slipway.json');
    const deep = `${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}`;
    outputFileSync(
      file,
      readFileSync(file, 'utf8').replace('{', () => `{"deep": ${deep},`),
    );
  },
  'a manifest with a name of 10 MB': manifest((it) => ({ ...it, ['n'.repeat(1e7)]: 1 })),
  'a manifest with 100,000 ejected files': manifest((it) => ({
    ...it,
    ejected: Array.from({ length: 1e5 }, (_, index) => `src/${index}.ts`),
  })),
  'a manifest with 100,000 unknown keys': manifest((it) => ({
    ...it,
    modules: Object.fromEntries(Array.from({ length: 1e5 }, (_, index) => [`m${index}`, {}])),
  })),
  'a manifest that is no object': manifest(() => [1]),
  'a lock with many lines for one file': ({ root }) => {
    outputFileSync(path.join(root, 'tsconfig.json'), `// ${'x'.repeat(1e6)}\n`);
    locked(...Array.from({ length: 500 }, (_, index) => ({ path: 'tsconfig.json', base: `${index}\n` })))({
      root,
    } as Place);
  },
  'a lock with deep lines': ({ root }) => appendFileSync(path.join(root, '.slipway/lock.jsonl'), nested(1e5)),
  'bases of 7 MB': ({ root }) =>
    appendFileSync(
      path.join(root, '.slipway/base.jsonl'),
      `{"hash": "${'0'.repeat(64)}", "text": "${'x'.repeat(7e6)}"}`,
    ),
  'markers of conflicts without end': all(
    conflicting('README.md', '<<<<<<< a\n'.repeat(35_000), 'other\n'),
    conflicting('tsconfig.json', '<<<<<<< a\n=======\n'.repeat(20_000), '{}'),
    conflicting('package-lock.json', '<<<<<<< a\n'.repeat(35_000), '{}'),
  ),
  'markers of conflicts in the manifest': write('slipway.json', '<<<<<<< a\n=======\n'.repeat(20_000)),
  'JSON and YAML with 20,000 keys': all(
    inPackage('"scripts": {', `"scripts": {${lines(2e4, (index) => `"k${index}": "echo ${index}",`)}`),
    forged('package.json', (yours) => yours.replaceAll(/"k\d*[02468]": "echo/g, '$& not')),
    conflicting('tsconfig.json', `{${lines(2e4, (index) => `"k${index}": ${index}, // ${index}`)}\n"z": 1}`, '{}'),
    conflicting(
      'deploy/compose/service.yaml',
      `${lines(2e4, (index) => `x-${index}: 1 # ${index}`)}\n`,
      `${lines(2e4, (index) => `x-${index}: 2`)}\n`,
    ),
    conflicting('.github/workflows/ci.yaml', `on:\n${lines(2e4, (index) => `  - a${index}`)}\n`, 'on: [b]\n'),
  ),
  'JSON without 10,000 keys of the base': all(
    forged('package.json', (yours) =>
      yours.replace('"scripts": {', `"scripts": {${lines(2e4, (index) => `"k${index}": "",`)}`),
    ),
    conflicting(
      'tsconfig.json',
      `{${lines(2e4, (index) => `"k${index}": ${index},`)} "z": 1}`,
      `{${lines(1e4, (index) => `"k${index * 2}": ${index * 2},`)} "z": 1}`,
    ),
  ),
  'a lockfile with 20,000 packages': all(
    inPackage('"dependencies": {', '"dependencies": {"p0": "1.0.0",'),
    ({ root }) => {
      const file = path.join(root, 'package-lock.json');
      const more = lines(
        2e4,
        (index) => `"node_modules/p${index}": {"version": "1.0.0", "dependencies": {"p${index + 1}": "1.0.0"}},`,
      );
      outputFileSync(
        file,
        readFileSync(file, 'utf8').replace('"node_modules/', () => `${more}"node_modules/`),
      );
    },
  ),
  'JSON and YAML that are nested': all(
    conflicting('package.json', `{"scripts": ${nested(1e5)}}`, '{}'),
    conflicting('package-lock.json', `{"lockfileVersion": 3, "packages": {"": {"a": ${nested(1e5)}}}}`, '{}'),
    conflicting('api/openapi.json', `{"openapi": "3.1.0", "paths": ${nested(1e5)}}`, '{}'),
    conflicting('tsconfig.json', nested(1e5), '{}'),
    conflicting('deploy/compose/service.yaml', `${'- '.repeat(1e5)}a\n`, 'a: 1\n'),
    conflicting('deploy/k8s/base/kustomization.yaml', `a: ${nested(1e5)}\n`, 'a: 1\n'),
    conflicting('.github/workflows/ci.yaml', `${lines(3000, (index) => `${' '.repeat(index)}a:`)}\n`, 'a: 1\n'),
  ),
  'YAML that grows when it is read': conflicting(
    'deploy/compose/service.yaml',
    `a0: &a0 [x]\n${lines(30, (index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}, *a${index}]`)}\n`,
    'a: 1\n',
  ),
  'sources without end': all(
    write('src/a.ts', '/['.repeat(1e5)),
    write('src/b.ts', `'${String.raw`\'`.repeat(1e5)}`),
    write('src/c.ts', '/*'.repeat(1e5)),
    write('src/d.ts', '`${'.repeat(1e5)),
    write('src/e.ts', ' '.repeat(1.9e6)),
    write('src/f.ts', `'${'x'.repeat(1.9e6)}'`),
    searched,
  ),
  'large files': all(
    ...Array.from({ length: 8 }, (_, index) => sparse(`src/${index}.ts`, 120 * 2 ** 20)),
    conflicting('tsconfig.json', `{"a": "${'x'.repeat(7e6)}"}`, '{"a": 1}'),
    conflicting(
      'README.md',
      lines(1e5, (index) => `line ${index % 7}`),
      lines(1e5, (index) => `line ${index % 5}`),
    ),
    conflicting(
      '.editorconfig',
      lines(1e5, (index) => `a${index} = 1`),
      lines(1e5, (index) => `a${index} = 2`),
    ),
    conflicting('docs/operations.md', 'x'.repeat(7e6), 'y'),
    conflicting('deploy/compose/service.yaml', `a: '${'x'.repeat(7e6)}'\n`, 'a: 1\n'),
    conflicting('api/openapi.json', `{"a": "${String.raw`\"`.repeat(3e6)}"}`, '{"a": 1}'),
    searched,
  ),
};

/** A plan as `slipway plan --json` prints it. */
interface PlanDocument {
  readonly plan: number;
  readonly entries: readonly object[];
  readonly changes: readonly object[];
}

const write644 = { expect: null, mode: 0o644, encoding: 'utf8', content: 'owned\n' } as const;

function creating(file: string, more: object = {}): PlanDocument {
  return {
    plan: 1,
    entries: [{ path: file, action: 'create', module: 'base', reason: '', conflicts: [], ...more }],
    changes: [{ path: file, ...write644 }],
  };
}

/** Plans of strangers: what is wrong → the text of the plan. `allowed` plans may be applied; they only must print nothing raw. */
export const plans: Readonly<Record<string, (place: Place) => string>> = {
  ...Object.fromEntries(
    [
      '.git/hooks/pre-commit',
      '.g\u200Cit/hooks/pre-commit',
      'GIT~1/hooks/pre-commit',
      '../outside/owned',
      '/tmp/owned',
      'C:/owned',
      '.slipway/tx/journal.json',
      '.Slipway/tx/journal.json',
      'SLIPWA~1/tx/journal.json',
      '.SLIPWAY/lock.jsonl',
      'SLIPWAY.JSON',
      '.env',
      'deploy/server.key',
      'README.md:stream',
      'docs./a.md',
      'nul',
      'x'.repeat(1e7),
    ].map((file) => [`writes ${file.slice(0, 40)}`, () => JSON.stringify(creating(file))]),
  ),
  'changes .env, whose content it knows': () =>
    JSON.stringify({
      plan: 1,
      entries: [{ path: '.env', action: 'update', module: 'base', reason: '', conflicts: [] }],
      changes: [{ path: '.env', ...write644, expect: sha256(secret) }],
    }),
  'changes an ignored file': (place) => {
    all(write('local/notes.txt', secret), repository)(place);
    const at = 'local/notes.txt';
    return JSON.stringify({
      plan: 1,
      entries: [{ path: at, action: 'delete', module: 'base', reason: '', conflicts: [] }],
      changes: [{ path: at, expect: sha256(secret), remove: true }],
    });
  },
  'has an entry of two lines': () => JSON.stringify(creating('docs/a.md', { reason: 'fine\n  update    README.md' })),
  'has changes without an entry': () => JSON.stringify({ ...creating('docs/a.md'), entries: [] }),
  'sets the user id': () =>
    JSON.stringify({ ...creating('docs/a.md'), changes: [{ path: 'docs/a.md', ...write644, mode: 0o4755 }] }),
  'is nested': () => `{"plan": 1, "entries": ${nested(1e5)}, "changes": []}`,
  'is a link to a secret': ({ file, outside }) => {
    symlinkSync(path.join(outside, 'secret'), file);
    return '';
  },
};

/** Catalogues of strangers: what is wrong → the text of the catalogue. */
export const catalogues: Readonly<Record<string, (built: Catalogue, place: Place) => string>> = {
  'has escapes in a summary': (built) => withModule(built, { summary: escapes }),
  'has escapes in the id of a module': (built) => withModule(built, { id: escapes }),
  'has two lines in an option': (built) =>
    withModule(built, { options: { a: { type: 'boolean', summary: 'a\nerror forged', default: true } } }),
  'has a module __proto__': (built) =>
    printCatalogue({ ...built, modules: Object.fromEntries([['__proto__', hostileModule({ id: '__proto__' })]]) }),
  'has an unknown ownership': (built) => withFile(built, { ownership: 'owned' as 'seed' }),
  'has a file without content': (built) => withFile(built, { text: undefined as unknown as string }),
  'has a template that is nested': (built) => {
    const template = ['-'.repeat(nested(1e5).length - JSON.stringify(['']).length)];
    const printed = withModule(built, { files: [{ path: 'docs/hostile.md', ownership: 'seed', template }] });
    return printed.replace(JSON.stringify(template), nested(1e5));
  },
  'has modules that require each other': (built) => withModule(built, { requires: ['hostile'] }),
  'has 100,000 modules': (built) => {
    const ids = Array.from({ length: 1e5 }, (_, index) => `m${index}`);
    const chain = ids.map((id, index) => [id, hostileModule({ id, requires: ids.slice(index + 1, index + 2) })]);
    return printCatalogue({ ...built, modules: Object.fromEntries(chain) });
  },
  'has the same file in two letter cases': (built) =>
    withModule(built, { files: [fileOf({ path: 'docs/A.md' }), fileOf({ path: 'docs/a.md' })] }),
  'renames .env': (built) => withModule(built, { renamed: { '.env': 'docs/env.md' } }),
  'is a link to a secret': (_, { file, outside }) => {
    symlinkSync(path.join(outside, 'secret'), file);
    return '';
  },
  ...Object.fromEntries(
    [
      '.slipway/lock.jsonl',
      '.Slipway/tx/journal.json',
      'SLIPWA~1/lock.jsonl',
      'SLIPWAY.json',
      '.git/hooks/pre-commit',
      '.g\u200Cit/hooks/pre-commit',
      'git~1/config',
      '../outside/owned',
      'a:b',
      'docs/a.md.',
      'aux.ts',
      '.env',
      'id_rsa',
      `docs/${escapes}`,
    ].map((file) => [`brings ${JSON.stringify(file)}`, (built: Catalogue) => withFile(built, { path: file })]),
  ),
};

function fileOf(changes: { path?: string; ownership?: 'seed'; text?: string }): TemplateFile {
  return { path: 'docs/hostile.md', ownership: 'seed', text: 'owned\n', ...changes };
}

function hostileModule(changes: Partial<CatalogueModule>): CatalogueModule {
  return { id: 'hostile', summary: 'hostile', category: 'api', files: [], config: [], ...changes };
}

function withModule(built: Catalogue, changes: Partial<CatalogueModule>): string {
  const module = hostileModule(changes);
  return printCatalogue({ ...built, modules: { ...built.modules, [module.id]: module } });
}

function withFile(built: Catalogue, changes: Parameters<typeof fileOf>[0]): string {
  return withModule(built, { files: [fileOf(changes)] });
}
