import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findUsages } from '../../generators/engine/reconcile/usages.ts';

const gone = {
  files: new Set(['internal/db/pool.ts', 'internal/db/index.ts', 'pkg/view.tsx', 'cmd/x/a.mts', 'api/data.json']),
  packages: new Set(['pg', '@scope/name']),
};
const find = (text: string, path = 'internal/orders/repository.ts') =>
  findUsages([[path, text]], gone).map(({ line, specifier }) => `${line} ${specifier}`);

describe('finding usages', () => {
  it.each([
    ["import pg from 'pg';", '1 pg'],
    ['import pg from "pg";', '1 pg'],
    ["import 'pg/lib/utils';", '1 pg/lib/utils'],
    ["import type { A } from '@scope/name';", '1 @scope/name'],
    ["import { a } from '@scope/name/deep/er.js';", '1 @scope/name/deep/er.js'],
    ["import * as all from 'pg' with { type: 'json' };", '1 pg'],
    ["import{a}from'pg'", '1 pg'],
    ["export * from 'pg';", '1 pg'],
    ["export { Pool as default } from 'pg';", '1 pg'],
    ["const pg = await import('pg');", '1 pg'],
    ['const pg = await import(`pg`);', '1 pg'],
    ["const pg = await import(/* lazily */ 'pg');", '1 pg'],
    ["const pg = require('pg');", '1 pg'],
    ["import pg = require('pg');", '1 pg'],
    ["let a: import('pg').Pool;", '1 pg'],
    ["const a = `${await import('pg')}`;", '1 pg'],
    ["const a = `${f({}, import('pg'))}`;", '1 pg'],
    ["// why\nimport {\n  a, // from 'x'\n  b,\n} from\n  'pg';", '6 pg'],
    ['/* two\nlines */ import a from "pg";', '2 pg'],
    ["const a = /['\"`]/; import b from 'pg';", '1 pg'],
    ["const a = b / c; import d from 'pg'; // /", '1 pg'],
    ['const a = <p>Don\'t `${"do"}` </p>;\nimport d from "pg";', '2 pg'],
    ["const a = `\n${b({ c: `}${d}` })}\n`;\nimport e from 'pg';", '4 pg'],
    ["import.meta.resolve('pg');", '1 pg'],
    ["require.resolve('pg/package.json');", '1 pg/package.json'],
    ["const all = [...require('pg')];", '1 pg'],
    ["vi.mock('pg');", '1 pg'],
    ["vi.doMock('pg', () => ({}));", '1 pg'],
    ["jest.unmock('pg');", '1 pg'],
    ["const a = await vi.importActual<typeof import('x')>('pg');", '1 pg'],
    ["const a = await vi.importActual<Map<A, B<C>>>('pg');", '1 pg'],
  ])('finds %j', (text, expected) => {
    expect(find(text, 'a.tsx')).toEqual([expected]);
  });

  it.each([
    ["// import pg from 'pg';"],
    ["/* import pg from 'pg'; */"],
    ['const a = "import pg from \'pg\'";'],
    ["const a = `import pg from 'pg';`;"],
    ["const a = `${b} import('pg')`;"],
    ["const a = { from: 'pg', import: 'pg' };"],
    ["Array.from('pg');"],
    ["loader.import('pg'); loader.require('pg');"],
    ["import a from 'pg-promise';"],
    ["import a from '@scope/other';"],
    ["import a from 'node:fs';"],
    ["import a from './pg';"],
    ["const a = /import 'pg'/;"],
    ["import(name + 'pg');"],
    ["a.vi.mock('pg'); mock('pg'); vi.fn('pg');"],
    ["vi.importActual; const f = () => ('pg');"],
    ["new URL('pg', 'https://example.org');"],
    ["new URL('https://example.org/pg', import.meta.url);"],
  ])('passes over %j', (text) => {
    expect(find(text)).toEqual([]);
  });

  it.each([
    ['../db/pool.ts'],
    ['../db/pool.js'],
    ['../db/pool'],
    ['../db'],
    ['../db/'],
    ['../db/index'],
    ['../../pkg/view.tsx'],
    ['../../pkg/view.js'],
    ['../../pkg/view'],
    ['../../cmd/x/a.mjs'],
    ['.././db/./pool.ts'],
    ['../../api/data.json'],
    ['../db/pool.ts?raw'],
  ])('resolves %s', (specifier) => {
    expect(find(`import a from '${specifier}';`)).toEqual([`1 ${specifier}`]);
  });

  it.each([['../db/pools.ts'], ['../db/pool.mjs'], ['./db/pool.ts'], ['../../../internal/db/pool.ts'], ['../pool.ts']])(
    'does not take %s for a file that goes',
    (specifier) => {
      expect(find(`import a from '${specifier}';`)).toEqual([]);
    },
  );

  it.each([
    ["new URL('../db/pool.ts', import.meta.url)", '../db/pool.ts'],
    ['new URL(`../db/pool.ts`,\n  import.meta.url)', '../db/pool.ts'],
    ["new Worker(new URL('../db/pool.ts?worker', import.meta.url))", '../db/pool.ts?worker'],
    ["readFileSync(path.join(import.meta.dirname, '../../api/data.json'))", '../../api/data.json'],
    ["path.resolve(__dirname, '../../api/data.json')", '../../api/data.json'],
    ["vi.mock('../db/pool.ts')", '../db/pool.ts'],
    ["vi.mock(import('../db/pool.ts'))", '../db/pool.ts'],
  ])('sees the file in %s', (text, specifier) => {
    expect(find(text)).toEqual([`1 ${specifier}`]);
  });

  it.each([
    ["setupFiles: ['./internal/db/pool.ts']", './internal/db/pool.ts'],
    ["fork('dist/internal/db/pool.js')", 'dist/internal/db/pool.js'],
    ['new Worker("../db/pool.ts");', '../db/pool.ts'],
  ])('sees the string in %s', (text, specifier) => {
    expect(find(text)).toEqual([`1 ${specifier}`]);
  });

  it.each([
    ["new URL('../db/pools.ts', base)"],
    ["// setupFiles: ['./internal/db/pool.ts']"],
    ["/**\n * See 'internal/db/pool.ts'\n */"],
    ["throw new Error('see internal/db/pool.ts')"],
    ["a('pool.ts', 'api/data.json')"],
    ["path.join(import.meta.dirname, '..', 'db/pool.ts')"],
    ["new URL('../db/pool', import.meta.url)"],
  ])('sees none in %s', (text) => {
    expect(find(text)).toEqual([]);
  });

  it('sees a file behind a specifier with #, in any condition', () => {
    const imports = {
      '#db/*': { types: './internal/db/*', default: ['./dist/internal/db/*', './internal/db/*'] },
      '#pool': './internal/db/pool.js',
      '#pg': 'pg',
      '#kept/*.js': './internal/kept/*.ts',
    };
    const source = ['#db/pool.ts', '#db/other.ts', '#pool', '#pg', '#kept/pool.js', '#unknown']
      .map((name) => `import '${name}';`)
      .join('\n');
    expect(findUsages([['a.ts', source]], gone, imports).map(({ specifier }) => specifier)).toEqual([
      '#db/pool.ts',
      '#pool',
      '#pg',
    ]);
  });

  it.each([
    ['package.json', '{ "scripts": { "seed": "node internal/db/pool.ts" } }', 'internal/db/pool.ts'],
    ['package.json', '{ "scripts": { "seed": "node dist/internal/db/pool.js" } }', 'dist/internal/db/pool.js'],
    ['package.json', '{ "imports": { "#db/*": "./internal/db/*" } }', './internal/db/'],
    ['package.json', '{ "scripts": { "all": "npm run build && npm run migrate -- up" } }', 'npm run migrate'],
    ['package.json', '{ "scripts": { "all": "node --run migrate" } }', 'npm run migrate'],
    ['.github/workflows/nightly.yaml', 'steps:\n  - run: pnpm migrate', 'npm run migrate'],
    ['scripts/nightly.sh', 'yarn --silent migrate', 'npm run migrate'],
    ['deploy/k8s/overlays/eu/kustomization.yaml', 'components:\n  - ../../components/db', '../../components/db'],
    [
      'deploy/k8s/overlays/eu/kustomization.yml',
      'resources: [../../components/db/job.yaml]',
      '../../components/db/job.yaml',
    ],
    ['deploy/k8s/components/db/more.yaml', 'resources: [job.yaml]', 'job.yaml'],
    ['deploy/docker/Dockerfile', 'COPY internal/db/pool.ts ./', 'internal/db/pool.ts'],
    ['debug.Dockerfile', 'CMD ["node", "dist/internal/db/pool.js"]', 'dist/internal/db/pool.js'],
  ])('sees in %s: %s', (path, text, specifier) => {
    const more = {
      files: new Set([...gone.files, 'internal/db/', 'deploy/k8s/components/db/', 'deploy/k8s/components/db/job.yaml']),
      packages: gone.packages,
      scripts: new Set(['migrate']),
    };
    expect(findUsages([[path, text]], more)).toEqual([{ path, line: text.split('\n').length, specifier }]);
    expect(findUsages([[path, text.replace(/^/gm, '# ')]], more), 'comments need nothing').toEqual(
      path === 'package.json' ? expect.anything() : [],
    );
  });

  it('resolves from the root', () => {
    expect(find("import './internal/db/pool.ts';", 'main.ts')).toEqual(['1 ./internal/db/pool.ts']);
  });

  it('reads imports in sources only, and not those that go themselves', () => {
    const text = "import 'pg';";
    const paths = [
      'a.ts',
      'a.tsx',
      'a.mts',
      'a.cts',
      'a.js',
      'a.mjs',
      'a.cjs',
      'a.md',
      'a.json',
      'internal/db/pool.ts',
    ];
    const usages = findUsages(
      paths.map((path): [string, string] => [path, text]),
      gone,
    );
    expect(usages.map(({ path }) => path)).toEqual(paths.slice(0, 7));
  });

  it('names every place', () => {
    expect(find("import 'pg';\nimport '../db/pool.ts';\n\nexport * from 'pg/x';")).toEqual([
      '1 pg',
      '2 ../db/pool.ts',
      '4 pg/x',
    ]);
  });

  it('finds an import behind any sequence of complete tokens', () => {
    const token = fc.constantFrom(
      ...[
        "'a'",
        '"b"',
        '`c`',
        '`${d}`',
        '`${{e: `f`}}`',
        '// g\n',
        '/* h */',
        '{',
        '}',
        '(',
        ')',
        '/i/;',
        '=',
        'from',
        '\n',
      ],
    );
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        const before = tokens.join(' ');
        expect(find(`${before}\n;import x from 'pg';`).at(-1)).toBe(`${before.split('\n').length + 1} pg`);
      }),
    );
  });

  it('never throws, and is linear', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'\' " ` $ \\ { } / * \n ( a i'.split(' '), ' ') }), (text) => {
        expect(find(text)).toEqual([]);
      }),
    );
    const start = performance.now();
    for (const part of ['`${', '/*', "'", '/', '{', 'import(', '\\', 'a', 'a.', 'a/', ' #', 'npm -']) {
      find(part.repeat(200_000));
      find(part.repeat(200_000), 'deploy/a.yaml');
    }
    expect(performance.now() - start).toBeLessThan(60_000);
  });
});
