import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Ownership, Plan, PlanEntry } from '../../../generators/engine/model.ts';
import { decode, encode } from '../../../generators/engine/text.ts';
import { followRenames } from '../../../generators/engine/reconcile/follow.ts';
import { type Tree, serviceOf } from '../../helpers/memoryService.ts';

const from = 'internal/platform/http/problem.ts';
const to = 'internal/platform/http/errors/problem.ts';
const sha256 = (text: string): string => hash('sha256', text);

const renaming: PlanEntry = {
  path: to,
  action: 'update',
  module: 'base',
  reason: '',
  conflicts: [],
  changes: [
    { path: from, expect: sha256('was'), remove: true },
    { path: to, expect: null, write: encode('is'), mode: 0o644 },
  ],
};

/** Plans the renaming for a service with one file that imports. */
function following(path: string, text: string, more: readonly PlanEntry[] = [], ownership?: Ownership): Plan {
  const tree: Tree = new Map([
    [from, { bytes: encode('was'), mode: 0o644 }],
    [path, { bytes: encode(text), mode: 0o755 }],
  ]);
  const files = ownership === undefined ? {} : { [path]: { module: 'base', ownership, hash: sha256(text) } };
  const plan = {
    entries: [renaming, ...more],
    lock: { version: 1, catalogue: '1.0.0', files },
    bases: new Map(),
  } as const;
  return followRenames(serviceOf(tree), plan);
}

function textAfter(plan: Plan, path: string): string | undefined {
  const change = plan.entries.find((entry) => entry.path === path)?.changes[0];
  return change === undefined || 'remove' in change ? undefined : decode(change.write);
}

describe('followRenames', () => {
  it.each([
    ['internal/platform/http/server.ts', './problem.ts', './errors/problem.ts'],
    ['internal/platform/http/server.ts', './problem.js', './errors/problem.js'],
    ['internal/platform/http/server.ts', './problem', './errors/problem'],
    ['internal/platform/http/errors/more.ts', '../problem.ts', './problem.ts'],
    ['cmd/tool/main.ts', '../../internal/platform/http/problem.ts', '../../internal/platform/http/errors/problem.ts'],
    ['top.ts', './internal/platform/http/problem.ts', './internal/platform/http/errors/problem.ts'],
  ])('rewrites in %s the import of %s to %s, and nothing else', (path, before, after) => {
    const source = (specifier: string): string =>
      `import { a } from '${specifier}';\r\nexport * from "${specifier}"; // '${before}x'\nvi.mock('${specifier}');\nawait import(\`${specifier}\`);\nconst text = '${before}';\n`;
    const plan = following(path, source(before));
    expect(textAfter(plan, path)).toBe(source(after).replace(`text = '${after}'`, `text = '${before}'`));
    expect(plan.entries.find((entry) => entry.path === path)).toMatchObject({
      action: 'merge',
      reason: `its imports follow ${from}`,
      changes: [{ expect: sha256(source(before)), mode: 0o755 }],
    });
  });

  it.each([
    ['cmd/tool/main.ts', '../../internal/platform/http/problem.ts', '../../internal/platform/http/errors/problem.ts'],
    ['cmd/tool/main.ts', '../../internal/platform/http/', undefined],
    ['internal/platform/http/server.ts', 'problem.ts', './errors/problem.ts'],
    ['internal/platform/http/server.ts', './', undefined],
    ['internal/platform/http/server.ts', 'https://example.org/problem.ts', undefined],
    ['internal/platform/http/server.ts', '../../../../problem.ts', undefined],
  ])('rewrites in %s the path %s, built from where the file is, to %s', (path, before, after) => {
    const source = (specifier: string): string =>
      `new URL('${specifier}', import.meta.url);\njoin(import.meta.dirname, '${specifier}');\nnew URL('${before}', origin);\n`;
    expect(textAfter(following(path, source(before)), path)).toBe(after === undefined ? undefined : source(after));
  });

  it('leaves alone what imports another file, or is no source', () => {
    for (const path of ['internal/other/server.ts', 'internal/platform/http/server.md']) {
      expect(following(path, "import { a } from './problem.ts';\n").entries).toEqual([renaming]);
    }
  });

  it('goes on from what the plan already makes of the file', () => {
    const path = 'internal/platform/http/server.ts';
    const merged: PlanEntry = {
      ...renaming,
      path,
      action: 'merge',
      changes: [{ path, expect: sha256('old'), write: encode("import './problem.ts';\nnew();\n"), mode: 0o644 }],
    };
    const plan = following(path, 'old', [merged]);
    expect(plan.entries.map((entry) => entry.path)).toEqual([to, path]);
    expect(textAfter(plan, path)).toBe("import './errors/problem.ts';\nnew();\n");
  });

  it('remembers an unedited seed as unedited, and of other files what they were', () => {
    const [path, text] = ['internal/items/routes.ts', "import '../platform/http/problem.ts';\n"];
    const locked = (ownership: Ownership): string | undefined =>
      following(path, text, [], ownership).lock.files[path]?.hash;
    expect(locked('seed')).toBe(sha256("import '../platform/http/errors/problem.ts';\n"));
    expect(locked('merged')).toBe(sha256(text));
  });
});
