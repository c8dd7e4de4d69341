import { existsSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.ts';
import { commitAll, committed, git, onBranch, unmerged } from './repository.ts';
import { differing, newService, serviceIn, type TestService } from './service.ts';

/** The service is as one person would have made it, and it goes on as usual. */
function expectWhole(service: TestService): void {
  expect(unmerged(service)).toEqual([]);
  expect(service.must('check')).toContain('No drift');
  const doctor = service.run('doctor').stdout;
  expect(doctor).toMatch(/✓ store +\d+ bases, all whole/);
  expect(doctor).toMatch(/✓ conflicts/);
  expect(service.must('update')).toContain('Nothing to do');
}

function expectSame(service: TestService, other: TestService): void {
  expect(differing(other.tree(), service.tree()).filter((name) => !name.startsWith('.git/'))).toEqual([]);
}

/** Branches of a service: `main` has done `ours`, and `other` has done `theirs`. */
function branches(
  ours: (service: TestService) => void,
  theirs: (service: TestService) => void,
  service: TestService = committed(),
): TestService {
  onBranch(service, 'other', () => theirs(service));
  ours(service);
  commitAll(service, 'ours');
  return service;
}

function add(...modules: string[]): (service: TestService) => void {
  return (service) => void service.must('add', ...modules);
}

function script(name: string): (service: TestService) => void {
  return (service) =>
    service.edit('package.json', (text) => text.replace('"scripts": {', `"scripts": {\n    "${name}": "echo",`));
}

function merge(service: TestService): void {
  git(service, ['merge', '--quiet', 'other'], false);
}

describe('resolve joins two branches that each added a module', () => {
  it('in a merge: all conflicts are settled and staged, and every module can be removed', () => {
    const service = branches(add('redis'), add('postgres'));
    const start = git(service, ['rev-parse', 'HEAD~1']);
    merge(service);
    expect(unmerged(service)).toContain('slipway.json');
    const { exitCode, stdout } = service.run('resolve', '--no-install');
    expect(stdout).toContain('settled');
    expect(stdout).toContain('git merge --continue');
    expect(exitCode).toBe(0);
    expectWhole(service);
    git(service, ['merge', '--continue']);
    expect(git(service, ['status', '--porcelain'])).toBe('');
    const one = newService('--preset=minimal');
    one.must('add', 'postgres', 'redis');
    expectSame(service, one);
    service.must('remove', 'redis', 'postgres');
    expect(git(service, ['diff', '--stat', start])).toBe('');
  });

  it('in a rebase of several commits, and in a cherry-pick', () => {
    const one = newService('--preset=minimal');
    one.must('add', 'postgres', 'redis', 'websocket');
    for (const [begin, goOn] of [
      [
        ['rebase', '--quiet', 'other'],
        ['rebase', '--continue'],
      ],
      [
        ['cherry-pick', 'other'],
        ['cherry-pick', '--continue'],
      ],
    ] as const) {
      const service = branches((main) => {
        add('redis')(main);
        commitAll(main, 'redis');
        add('websocket')(main);
      }, add('postgres'));
      git(service, begin, false);
      for (let stops = 0; unmerged(service).length > 0 && stops < 3; stops += 1) {
        expect(service.must('resolve')).toContain(`git ${goOn.join(' ')}`);
        git(service, goOn, false);
      }
      expect(git(service, ['status', '--porcelain'])).toBe('');
      expectWhole(service);
      expectSame(service, one);
    }
  });

  it('where git keeps no commit to merge: the index has the sides', () => {
    const service = branches(add('redis'), add('postgres'));
    git(service, ['merge', '--squash', 'other'], false);
    service.must('resolve');
    expectWhole(service);
    service.must('remove', 'redis');
    service.must('remove', 'postgres');
    expect(git(service, ['diff', '--stat', 'HEAD~1'])).toBe('');
  });

  it('after a criss-cross merge, where the base is itself a merge', () => {
    const service = branches(add('redis'), add('postgres'));
    git(service, ['branch', 'left']);
    merge(service);
    service.must('resolve');
    commitAll(service, 'merged');
    git(service, ['checkout', '--quiet', 'other']);
    git(service, ['merge', '--quiet', 'left'], false);
    service.must('resolve');
    add('telemetry')(service);
    commitAll(service, 'merged as well');
    git(service, ['checkout', '--quiet', 'main']);
    service.must('remove', 'redis');
    commitAll(service, 'no redis');
    expect(git(service, ['merge-base', '--all', 'main', 'other']).split('\n')).toHaveLength(2);
    merge(service);
    service.must('resolve');
    expectWhole(service);
    expect(Object.keys(Object(service.manifest()['modules']))).toEqual(['postgres', 'telemetry']);
  });

  it('with CRLF on disk, as Git for Windows has it', () => {
    const source = branches(add('redis'), add('postgres'), withoutAttributes());
    const service = serviceIn(path.join(scratchFolder('memory'), 'clone'));
    git(source, ['clone', '--quiet', '--config', 'core.autocrlf=true', source.root, service.root]);
    git(service, ['merge', '--quiet', 'origin/other'], false);
    expect(service.read('package.json')).toContain('\r\n');
    service.must('resolve');
    expect(service.read('package.json').replaceAll('\r\n', '')).not.toContain('\n');
    expectWhole(service);
    commitAll(service, 'merged');
    expect(git(service, ['show', 'HEAD:package.json'])).not.toContain('\r');
  });

  function withoutAttributes(): TestService {
    const service = committed();
    service.write('.gitattributes', '');
    service.must('eject', '.gitattributes');
    commitAll(service, 'no attributes');
    return service;
  }
});

describe('resolve keeps what people wrote', () => {
  it('on both sides of one file, and the commands of both', () => {
    const service = branches(
      (main) => {
        add('redis')(main);
        script('mine')(main);
        main.edit('tsconfig.json', (text) => text.replace('{', '{\n  // ours'));
      },
      (main) => {
        add('postgres')(main);
        script('other')(main);
        main.must('ci', '--provider=github,gitlab');
      },
      // Its contract is printed from another file, which both modules change.
      committed('--modules=client'),
    );
    merge(service);
    service.must('resolve');
    expectWhole(service);
    expect(service.read('package.json')).toMatch(/"mine": "echo"[^]*"@redis\/client"[^]*"pg"/);
    expect(service.read('package.json')).toContain('"other": "echo"');
    expect(service.read('tsconfig.json')).toContain('// ours');
    expect(service.manifest()['ci']).toEqual(['github', 'gitlab']);
  });

  it('in the same place as a conflict with markers, which it names; the rest is settled', () => {
    const edit = (text: string) => (main: TestService) =>
      main.edit('docs/operations.md', (page) => page.replace('\n', `\n\n${text}\n`));
    const service = branches(
      (main) => [add('redis'), edit('What we say.')].forEach((work) => work(main)),
      (main) => [add('postgres'), edit('What they say.')].forEach((work) => work(main)),
    );
    merge(service);
    const { exitCode, stdout } = service.run('resolve', '--no-install');
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/resolve docs\/operations\.md, line \d+\n/);
    expect(stdout).toContain('git merge --continue');
    expect(unmerged(service)).toEqual(['docs/operations.md']);
    expect(service.read('docs/operations.md')).toMatch(
      /<<<<<<< (?:ours|HEAD)\n[^]*What we say\.[^]*What they say\.[^]*>>>>>>> /,
    );
    service.edit('docs/operations.md', (text) => text.replaceAll(/^(?:[<>=]{7}|\|{7}).*\n/gm, ''));
    git(service, ['add', '--all']);
    expectWhole(service);
  });

  it('in a file of a module that the other side removed', () => {
    const start = committed();
    add('redis')(start);
    commitAll(start, 'redis');
    const file = 'internal/platform/redis/module.ts';
    const service = branches(
      (main) => main.must('remove', 'redis'),
      (main) => {
        main.edit(file, (text) => `${text}// mine\n`);
        add('postgres')(main);
      },
      start,
    );
    merge(service);
    const { exitCode, stdout } = service.run('resolve', '--no-install');
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`resolve ${file}, the whole file`);
    expect(unmerged(service)).toEqual([file]);
    git(service, ['rm', '--quiet', file]);
    expectWhole(service);
    expect(Object.keys(Object(service.manifest()['modules']))).toEqual(['postgres']);
  });

  it('where they have resolved a file by hand, and where they have begun to', () => {
    const edit = (text: string) => (main: TestService) =>
      main.edit('docs/operations.md', (page) => page.replace('\n', `\n\n${text}\n`));
    const service = branches(
      (main) => [add('redis'), edit('What we say.'), script('mine')].forEach((work) => work(main)),
      (main) => [add('postgres'), edit('What they say.'), script('other')].forEach((work) => work(main)),
    );
    merge(service);
    const resolved = service.read('docs/operations.md').replaceAll(/<{7}[^]*>{7}.*\n/g, 'What all say.\n');
    service.write('docs/operations.md', resolved);
    git(service, ['add', 'docs/operations.md']);
    service.edit('package.json', (text) => text.replace('<<<<<<< HEAD', '<<<<<<< HEAD\n    "begun": "echo",'));
    const begun = service.read('package.json');
    expect(service.run('resolve', '--no-install').stdout).toMatch(/resolve package\.json, line \d+\n/);
    expect(service.read('docs/operations.md')).toContain('What all say.');
    expect(service.read('docs/operations.md')).not.toMatch(/What (?:we|they) say/);
    expect(service.read('package.json')).toBe(begun);
  });
});

describe('resolve takes the side that --conflict names', () => {
  const page = 'docs/operations.md';
  const own = 'internal/own/rules.ts';
  const ofRemoved = 'docs/redis.md';

  /** Both have changed a page, a file of their own and a value of the manifest; one has removed a module whose page the other has edited. */
  function contested(): TestService {
    const start = committed();
    add('redis')(start);
    start.write(own, 'export const rule = 0;\n');
    commitAll(start, 'redis');
    const work = (side: string, version: string) => (main: TestService) => {
      main.edit(page, (text) => text.replace('\n', `\n\nWhat ${side} say.\n`));
      main.write(own, `export const rule = '${side}';\n`);
      main.must('add', 'postgres', '--set', `postgres.version=${version}`);
    };
    const service = branches(
      (main) => {
        main.must('remove', 'redis');
        work('we', '17')(main);
      },
      (main) => {
        main.edit(ofRemoved, (text) => `${text}\nMine.\n`);
        work('they', '16')(main);
      },
      start,
    );
    merge(service);
    return service;
  }

  it.each([
    ['ours', 'we', 'they', '17'],
    ['theirs', 'they', 'we', '16'],
  ])('%s, in all files', (choice, winner, loser, version) => {
    const service = contested();
    expect(service.must('resolve', `--conflict=${choice}`)).toContain('git merge --continue');
    expectWhole(service);
    expect(service.read(page)).toContain(`What ${winner} say.`);
    expect(service.read(page)).not.toContain(`What ${loser} say.`);
    expect(service.read(own)).toBe(`export const rule = '${winner}';\n`);
    expect(service.manifest()['modules']).toEqual({ postgres: { version } });
    expect(existsSync(path.join(service.root, ofRemoved))).toBe(choice === 'theirs');
    git(service, ['merge', '--continue']);
    expect(git(service, ['status', '--porcelain'])).toBe('');
  });

  it('by path: the other files keep their conflicts', () => {
    const service = contested();
    const { exitCode, stdout } = service.run(
      'resolve',
      '--no-install',
      '--conflict=ours:slipway.json',
      `--conflict=theirs:${page}`,
    );
    expect(exitCode).toBe(3);
    expect(stdout).toContain(`resolve ${own}, line`);
    expect(unmerged(service)).toEqual([own, ofRemoved].sort());
    expect(service.read(page)).toContain('What they say.');
    expect(service.read(page)).not.toContain('What we say.');
  });

  it('where one has edited what the module of the other changes', () => {
    const guide = 'docs/modules.md';
    for (const [choice, isEdited] of [
      ['ours', false],
      ['theirs', true],
    ] as const) {
      const service = branches(add('redis'), (main) => main.write(guide, '# Our modules\n'));
      merge(service);
      service.must('resolve', `--conflict=${choice}`);
      expect([choice, service.read(guide) === '# Our modules\n']).toEqual([choice, isEdited]);
      expect(service.read(guide).includes('redis')).toBe(!isEdited);
      expectWhole(service);
    }
  });

  it('stop writes nothing, skip leaves a file as git left it', () => {
    const service = contested();
    const before = service.tree();
    for (const rules of [['--conflict=stop'], ['--conflict=ours', `--conflict=stop:${page}`]]) {
      const { exitCode, stdout } = service.run('resolve', '--no-install', ...rules);
      expect([rules, exitCode]).toEqual([rules, 3]);
      expect(stdout).toContain('nothing was written');
      expect(differing(before, service.tree())).toEqual([]);
    }
    const { exitCode } = service.run('resolve', '--no-install', '--conflict=ours', `--conflict=skip:${page}`);
    expect(exitCode).toBe(3);
    expect(service.read(page)).toBe(before[page]?.slice(-service.read(page).length));
    expect(unmerged(service)).toEqual([page]);
  });

  it('never over a file that somebody has begun to resolve', () => {
    const service = contested();
    service.edit(page, (text) => text.replace('What we say.', 'What we say now.'));
    const begun = service.read(page);
    expect(service.run('resolve', '--no-install', '--conflict=theirs').exitCode).toBe(3);
    expect(service.read(page)).toBe(begun);
  });
});

describe('resolve asks people', () => {
  it('when both sides changed the same value of slipway.json', () => {
    const service = branches(
      (main) => main.must('add', 'postgres', '--set', 'postgres.version=17'),
      (main) => main.must('add', 'postgres', '--set', 'postgres.version=16', 'redis'),
    );
    merge(service);
    const before = service.tree();
    const { exitCode, stdout } = service.run('resolve', '--no-install');
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/resolve slipway\.json, line \d+\n {2}slipway resolve\n/);
    expect(differing(before, service.tree()).filter((name) => !name.startsWith('.git/'))).toEqual(['slipway.json']);
    service.edit('slipway.json', (text) => text.replaceAll(/^<{7}.*\n([^]*?)^(?:\|{7}|={7})[^]*?^>{7}.*\n/gm, '$1'));
    service.must('resolve');
    expectWhole(service);
    expect(service.manifest()['modules']).toEqual({ postgres: { version: '17' }, redis: {} });
  });

  it('when one side has deleted slipway.json, and goes on once it is chosen', () => {
    const service = branches(add('redis'), (main) => {
      main.remove('slipway.json');
      git(main, ['rm', '-r', '--quiet', '.slipway']);
    });
    merge(service);
    const { exitCode, stderr } = service.run('resolve');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('slipway.json is deleted on one side (theirs)');
    git(service, ['add', 'slipway.json']);
    service.must('resolve');
    expectWhole(service);
    expect(service.manifest()['modules']).toEqual({ redis: {} });
  });

  it('when the modules of both do not fit together, or the code of one needs what the other removed', () => {
    const start = committed();
    add('redis')(start);
    commitAll(start, 'redis');
    const service = branches(
      (main) => main.must('remove', 'redis'),
      (main) => main.write('internal/own/use.ts', "import '../platform/redis/module.ts';\n"),
      start,
    );
    git(service, ['merge', '--quiet', '--no-commit', 'other']);
    const { exitCode, stderr } = service.run('resolve', '--no-install');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('internal/own/use.ts:1');
  });

  it('when there is nothing to resolve', () => {
    const { exitCode, stderr } = committed().run('resolve');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('no merge, rebase or cherry-pick of git is under way');
  });
});

it('a plan of resolve writes nothing, and says what it would do', () => {
  const service = branches(add('redis'), add('postgres'));
  merge(service);
  const before = service.tree();
  const { exitCode, stdout } = service.run('resolve', '--dry-run', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).entries).toContainEqual(expect.objectContaining({ path: '.env.example', action: 'merge' }));
  expect(service.run('resolve', '--dry-run', '--diff').stdout).toContain('+++ b/.env.example');
  expect(differing(before, service.tree())).toEqual([]);
});

it('no filter of the repository runs, and a file with a filter is not staged', () => {
  const service = branches(add('redis'), add('postgres'));
  merge(service);
  const trace = path.join(scratchFolder(), 'trace');
  git(service, ['config', 'filter.evil.clean', `touch ${trace}`]);
  service.write('.git/info/attributes', '/package.json filter=evil\n/slipway.json filter=evil\n');
  const stdout = service.must('resolve');
  expect(stdout).toContain('not staged, because git has a filter for them: ');
  expect(existsSync(trace)).toBe(false);
  expect(git(service, ['ls-files', '--unmerged'])).toContain('slipway.json');
});

it('every command names resolve while git merges', () => {
  const service = branches(add('redis'), add('postgres'));
  merge(service);
  for (const words of [
    ['check'],
    ['add', 'websocket'],
    ['update'],
    ['remove', 'redis'],
    ['ci'],
    ['list'],
    ['doctor'],
  ]) {
    const { exitCode, stdout, stderr } = service.run(...words);
    if (exitCode !== 0) expect(stdout + stderr).toContain('slipway resolve');
  }
  // The manifest is resolved by hand, and other files are not.
  service.write('slipway.json', `${JSON.stringify(JSON.parse(git(service, ['show', ':2:slipway.json'])), null, 2)}\n`);
  git(service, ['add', 'slipway.json']);
  for (const words of [['check'], ['add', 'websocket'], ['update'], ['doctor']]) {
    const { exitCode, stdout, stderr } = service.run(...words);
    expect([words, exitCode === 0]).toEqual([words, false]);
    expect(stdout + stderr).toContain('slipway resolve');
  }
});

/** What one person does on a branch. */
type Work = (service: TestService, mark: string) => void;

const modules = ['postgres', 'redis', 'websocket', 'telemetry', 'docker', 'kubernetes', 'auth', 'client'];
const works: fc.Arbitrary<Work> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...modules).map(
      (id): Work =>
        (service) =>
          void service.run('add', id, '--no-install'),
    ),
  },
  fc.constantFrom(...modules).map(
    (id): Work =>
      (service) =>
        void service.run('remove', id, '--no-install'),
  ),
  fc.constantFrom('github', 'gitlab', 'none').map(
    (ci): Work =>
      (service) =>
        void service.run('ci', `--provider=${ci}`, '--no-install'),
  ),
  fc.constant<Work>((service, mark) => {
    // Twice, it would be a duplicate key.
    if (!service.read('package.json').includes(`"of-${mark}"`)) script(`of-${mark}`)(service);
  }),
  fc.constant<Work>((service, mark) =>
    service.edit('docs/operations.md', (text) => (mark === 'ours' ? `${text}\n${mark}\n` : `${mark}\n\n${text}`)),
  ),
  fc.constantFrom('docs/operations.md', 'tsconfig.json').map(
    (file): Work =>
      (service) =>
        void service.run('eject', file, '--no-install'),
  ),
);

it('random work on two branches becomes what one person gets', () => {
  let proved = 0;
  fc.assert(
    fc.property(
      fc.array(works, { minLength: 1, maxLength: 3 }),
      fc.array(works, { minLength: 1, maxLength: 3 }),
      (mine, others) => {
        const service = branches(
          (main) => mine.forEach((work) => work(main, 'ours')),
          (main) => others.forEach((work) => work(main, 'theirs')),
        );
        merge(service);
        const { exitCode, stderr } = service.run('resolve', '--no-install');
        const isUnderWay = !stderr.includes('no merge, rebase');
        if (isUnderWay) expect([0, 3], stderr).toContain(exitCode);
        if (exitCode !== 0) return;
        expectWhole(service);
        const one = committed();
        for (const work of mine) work(one, 'ours');
        for (const work of others) work(one, 'theirs');
        // A command may be refused on one branch, and not for one person.
        if (one.read('slipway.json') !== service.read('slipway.json')) return;
        expect(
          differing(one.tree(), service.tree()).filter((name) => !/^(?:\.git\/|package\.json$)/.test(name)),
        ).toEqual([]);
        expect(JSON.parse(service.read('package.json'))).toEqual(JSON.parse(one.read('package.json')));
        proved += 1;
      },
    ),
    { numRuns: 8 },
  );
  expect(proved).toBeGreaterThan(1);
});
