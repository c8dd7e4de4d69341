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
    ["import.meta.resolve('pg');"],
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

  it('resolves from the root', () => {
    expect(find("import './internal/db/pool.ts';", 'main.ts')).toEqual(['1 ./internal/db/pool.ts']);
  });

  it('reads sources only, and not those that go themselves', () => {
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
    for (const part of ['`${', '/*', "'", '/', '{', 'import(', '\\']) find(part.repeat(200_000));
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
