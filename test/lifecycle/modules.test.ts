import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { offeredModules } from '../helpers/offeredModules.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { catalogue, differing, newService, serviceIn, type TestService } from './service.ts';

/** The module and all that it stands on, by the tests' own reading of the catalogue. */
function closure(id: string): string[] {
  return [...new Set([id, ...(catalogue.modules[id]?.requires ?? []).flatMap(closure)])].sort();
}

/** Parts come and go with the modules that require them. */
function isOffered(id: string): boolean {
  return offeredModules.includes(id);
}

/** Every pair of modules that may stand together, each module with itself among them. */
const pairs = offeredModules.flatMap((a) =>
  // Each with itself and the next three: the tier e2e has every pair.
  Array.from(
    { length: 4 },
    (_, step) => offeredModules[(offeredModules.indexOf(a) + step) % offeredModules.length] ?? a,
  )
    .map((b) => [a, b] as const)
    .filter(([x, y]) => {
      const all = [...closure(x), ...closure(y)];
      return !all.some((id) => catalogue.modules[id]?.conflicts?.some((enemy) => all.includes(enemy)));
    }),
);

describe('law 2, byte for byte on disk: new(A ∪ B) = new(A); add(B) = new(B); add(A)', () => {
  it.each(pairs)('for %s and %s', (a, b) => {
    const having = (...ids: string[]): TestService =>
      newService('--preset=minimal', `--modules=${ids.join(',') || 'none'}`);
    const together = having(a, b).tree();
    const [first, second, third] = [having(a), having(b), having()];
    first.must('add', b);
    second.must('add', a);
    third.must('add', b, a);
    expect(first.tree()).toEqual(together);
    expect(second.tree()).toEqual(together);
    expect(third.tree()).toEqual(together);
    expect(third.must('check')).toContain('No drift');
  });
});

const note = '// Of the user.\n';

/** What users do to services; each gives the files that it touches. */
const edits: Readonly<Record<string, (service: TestService) => void>> = {
  'nothing edited': () => {},
  'lines in every shared source': (service) => {
    for (const path of shared(service, /\.ts$/)) service.edit(path, (text) => `${text}${note}`);
  },
  'lines at the top of every shared YAML file and script': (service) => {
    for (const path of shared(service, /\.(ya?ml|env|sh)$|Dockerfile$|ignore$/))
      service.edit(path, (text) => `# Of the user.\n${text}`);
  },
  'own entries in the shared lists': (service) => {
    const { files } = service.lock();
    const hosted = {
      'deploy/k8s/base/kustomization.yaml': 'commonAnnotations:\n  owner: team\n',
      'deploy/compose/compose.yaml': 'volumes:\n  mine: {}\n',
    };
    for (const [path, own] of Object.entries(hosted)) if (path in files) service.edit(path, (text) => text + own);
    service.edit('.env.example', (text) => `${text}\n# Of the user.\nMINE=1\n`);
    service.edit('docs/modules.md', (text) => `${text}\nOf the user.\n`);
  },
  'a package.json of the user’s own layout, keys and scripts': (service) =>
    service.edit('package.json', (text) => {
      const { scripts, ...rest } = JSON.parse(text);
      return JSON.stringify({ scripts: { zebra: 'z', ...scripts, ant: 'a' }, ...rest, author: 'the team' }, null, '\t');
    }),
  'CRLF line ends': (service) => {
    for (const path of shared(service, /./)) service.edit(path, (text) => text.replaceAll('\n', '\r\n'));
  },
  'a slipway.json of the user’s own layout': (service) =>
    service.edit(
      'slipway.json',
      (text) => `${JSON.stringify(JSON.parse(text)).replace('"modules":', '\n\n  "modules" :')}\n\n`,
    ),
  'files moved': (service) => {
    service.move('internal/platform/http/admission.ts', 'internal/platform/http/paging/admission.ts');
    service.edit('internal/platform/http/server.ts', (text) => text.replace('./admission.ts', './paging/admission.ts'));
    service.move('docs/operations.md', 'handbook/operations.md');
    service.must('update');
  },
  'files deleted': (service) => {
    for (const path of ['docs/operations.md', '.editorconfig', '.vscode/settings.json', 'docs/modules.md'])
      service.remove(path);
  },
  'files ejected': (service) =>
    service.must('eject', 'package.json', 'docs/modules.md', 'internal/platform/http/requestContext.ts'),
  'seeds and code of the user’s own': (service) => {
    service.edit('cmd/server/main.ts', (text) => text + note);
    for (const domain of shared(service, /^internal\/items\/domain\.ts$/)) service.edit(domain, (text) => text + note);
    service.edit('README.md', () => '# Mine\n');
    service.write('internal/mine/deep/module.ts', 'export const mine = 1;\n');
  },
};

/** A service without the module: those of the default preset are added to one that has none. */
function serviceWithout(id: string, ci = 'github,gitlab'): TestService {
  const isDefault = catalogue.presets['default']?.modules.includes(id);
  return newService(`--ci=${ci}`, `--preset=${isDefault ? 'minimal' : 'default'}`);
}

/** The edits that a module is tried with: all of them for one module that touches every shared file, for the others in turns. */
function editsFor(id: string): string[] {
  const turn = offeredModules.indexOf(id) % 4;
  return Object.keys(edits).filter((_, index) => id === 'postgres' || index % 4 === turn);
}

/** What adding a module brings to a service: it, and what it requires and the service lacks. */
function broughtBy(id: string, service: TestService): string[] {
  return closure(id).filter((each) => isOffered(each) && !Object.hasOwn(Object(service.manifest()['modules']), each));
}

describe.each(offeredModules)('law 3, byte for byte on disk: add %s; remove it', (id) => {
  it.each(editsFor(id))('from a service with %s', (name) => {
    const service = serviceWithout(id);
    edits[name]?.(service);
    const before = service.tree();
    const brought = broughtBy(id, service);
    service.must('add', id);
    expect(differing(before, service.tree()).length).toBeGreaterThan(5);
    service.must('remove', ...brought);
    expect(differing(before, service.tree())).toEqual([]);
  });

  // What is ejected with a module in it keeps what is the module's.
  it.each(editsFor(id).filter((name) => name !== 'files ejected'))(
    'and what is edited in between stays: %s',
    (name) => {
      const [service, plain] = [serviceWithout(id), serviceWithout(id)];
      const brought = broughtBy(id, service);
      service.must('add', id);
      const theirs = new Set(Object.keys(without(service.lock().files, new Set(Object.keys(plain.lock().files)))));
      // Only in files that stay when the module goes, and what came with it.
      const guarded: TestService = {
        ...service,
        lock: () => ({ ...service.lock(), files: without(service.lock().files, theirs) }),
      };
      edits[name]?.(guarded);
      edits[name]?.(plain);
      service.must('remove', ...brought);
      plain.must('update');
      service.must('update');
      // The record of a missing file is that of the last time it was there: with the module.
      const isRecord = (path: string): boolean => name === 'files deleted' && /^\.slipway\/(?:lock|base)/.test(path);
      expect(differing(plain.tree(), service.tree()).filter((path) => !isRecord(path))).toEqual([]);
    },
  );

  it('with the pipelines of another provider written and taken away meanwhile', () => {
    const service = serviceWithout(id, 'github');
    edits['lines in every shared source']?.(service);
    const before = service.tree();
    const brought = broughtBy(id, service);
    service.must('ci', '--provider=gitlab');
    service.must('add', id);
    expect(service.tree()).toHaveProperty(['.gitlab-ci.yml']);
    expect(service.tree()).not.toHaveProperty(['.github/workflows/ci.yaml']);
    service.must('ci', '--provider=gitlab,github');
    service.must('remove', ...brought);
    service.must('ci', '--provider=github');
    expect(differing(before, service.tree())).toEqual([]);
  });
});

describe('slipway remove', () => {
  it('refuses while the user’s code imports the module, and names file and line', () => {
    const service = newService('--modules=postgres');
    service.write(
      'internal/orders/repository.ts',
      "import { a } from 'node:fs';\nimport { postgres } from '../platform/postgres/module.ts';\n",
    );
    service.write('cmd/report/main.ts', "const { sql } = await import('kysely');\n");
    const before = service.tree();
    const { exitCode, stderr } = service.run('remove', 'postgres', '--no-install');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('internal/orders/repository.ts:2 imports ../platform/postgres/module.ts');
    expect(stderr).toContain('cmd/report/main.ts:1 imports kysely');
    expect(service.tree()).toEqual(before);
    service.remove('internal/orders/repository.ts');
    service.remove('cmd/report/main.ts');
    service.must('remove', 'postgres');
    expect(service.tree()).toEqual(newService().tree());
  });

  it('asks before it deletes what the user has edited in the module', () => {
    const service = newService('--modules=postgres');
    service.edit('docs/postgres.md', (text) => `${text}\nMine.\n`);
    const before = service.tree();
    expect(service.run('remove', 'postgres', '--no-install')).toMatchObject({
      exitCode: 3,
      stdout: expect.stringMatching(/conflict +docs\/postgres\.md/),
    });
    expect(service.tree()).toEqual(before);
    service.must('remove', 'postgres', '--conflict=ours');
    expect(service.read('docs/postgres.md')).toContain('Mine.');
    expect(differing(newService().tree(), service.tree())).toEqual(['docs/postgres.md']);
  });

  it('leaves alone a file of the module that the user had written himself', () => {
    const service = newService();
    service.write('docs/runbooks/postgres.md', '# Mine\n');
    const before = service.tree();
    service.must('add', 'postgres', '--conflict=ours');
    service.must('remove', 'postgres');
    expect(service.tree()).toEqual(before);
  });
});

describe('slipway ci', () => {
  it('keeps edits in a pipeline when it is brought up to date, and gives it back byte for byte', () => {
    const service = newService('--ci=github', '--modules=postgres');
    const pipeline = '.github/workflows/ci.yaml';
    service.edit(pipeline, (text) =>
      `# Mine.\n${text}`.replace('pull_request', 'workflow_dispatch: null\n  pull_request'),
    );
    const before = service.tree();
    service.must('ci', '--provider=github,gitlab');
    service.must('ci', '--provider=github');
    expect(service.tree()).toEqual(before);
    service.must('remove', 'postgres');
    expect(service.read(pipeline)).toMatch(/^# Mine\.\n[^]*workflow_dispatch: null\n {2}pull_request/);
    expect(service.read(pipeline)).not.toContain('POSTGRES_PASSWORD');
    service.must('add', 'postgres');
    expect(service.tree()).toEqual(before);
  });

  it('does not delete an edited pipeline without a word', () => {
    const service = newService('--ci=github');
    service.edit('.github/workflows/ci.yaml', (text) => `# Mine.\n${text}`);
    const before = service.tree();
    expect(service.run('ci', '--provider=gitlab', '--no-install').exitCode).toBe(3);
    expect(service.tree()).toEqual(before);
    service.must('ci', '--provider=gitlab', '--conflict=theirs');
    expect(service.tree()).not.toHaveProperty(['.github/workflows/ci.yaml']);
  });
});

describe('a clone of somebody whose Git turns line ends into CRLF', () => {
  it('has not drifted, and takes and gives back modules', () => {
    const origin = newService('--ci=github');
    const clone = crlfCloneOf(origin);
    // .gitattributes of the service outweighs the setting.
    expect(clone.read('internal/platform/app/modules.gen.ts')).not.toContain('\r\n');
    expect(clone.must('check')).toContain('No drift');
    const before = clone.tree();
    clone.must('add', 'postgres');
    expect(clone.read('internal/platform/app/modules.gen.ts')).toContain('import { postgres }');
    clone.must('remove', 'postgres');
    expect(differing(before, clone.tree())).toEqual([]);
  });
});

it('a clone with CRLF, whose owner has removed .gitattributes, keeps its line ends in every file of the user', () => {
  const origin = newService('--ci=github,gitlab');
  rmSync(join(origin.root, '.gitattributes'));
  const clone = crlfCloneOf(origin);
  // `.slipway/` belongs to Slipway alone.
  const files = Object.keys(clone.tree()).filter((path) => !/^\.(?:git|slipway)\//.test(path));
  for (const command of [
    ['add', 'postgres', 'auth'],
    ['resource', 'order', 'sku:string'],
    ['ci', '--provider=gitlab'],
    ['remove', 'postgres'],
  ]) {
    clone.must(...command, '--no-install');
    const left = new Set(Object.keys(clone.tree()));
    const changed = files.filter((path) => left.has(path) && /(?<!\r)\n/.test(clone.read(path)));
    expect([command, changed]).toEqual([command, []]);
  }
});

/** Commits a service, and clones it as Git for Windows does by default. */
function crlfCloneOf({ root }: TestService): TestService {
  const git = (cwd: string, ...args: string[]): void => {
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'init.defaultBranch=main'];
    execFileSync('git', [...identity, ...args], { cwd, stdio: 'pipe' });
  };
  git(root, 'init');
  git(root, 'add', '--all');
  git(root, 'commit', '--message=first');
  const parent = scratchFolder('memory');
  git(parent, 'clone', '--config', 'core.autocrlf=true', root, 'orders');
  return serviceIn(join(parent, 'orders'));
}

/** Paths of files that are shared with the user. */
function shared(service: TestService, pattern: RegExp): string[] {
  const { files } = service.lock();
  return Object.keys(files).filter((path) => files[path]?.ownership === 'merged' && pattern.test(path));
}

function without<Value>(record: Readonly<Record<string, Value>>, keys: ReadonlySet<string>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.has(key)));
}
