import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../generators/engine/manifest.ts';
import type { Catalogue, TemplateFile } from '../../../generators/engine/model.ts';
import { decode, encode } from '../../../generators/engine/text.ts';
import { merge } from '../../../generators/engine/reconcile/merge/merge.ts';
import { prepare, type Prepared } from '../../../generators/engine/reconcile/prepare.ts';
import { applyTo, serviceOf, type Tree } from '../../helpers/memoryService.ts';
import { text, tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const parts = {
  'internal/log/time.ts':
    "import { a } from './names.ts';\n\n/** The time. */\nexport function time(): string {\n  return a;\n}\n",
  'internal/log/drops.ts':
    "import { b } from './names.ts';\n\n/** The drops. */\nexport function drops(): string {\n  return b;\n}\n",
};
const whole =
  "import { a, b } from './names.ts';\n\n/** The time. */\nexport function time(): string {\n  return a;\n}\n\n/** The drops. */\nexport function drops(): string {\n  return b;\n}\n";
const now = 'internal/platform/log/logger.ts';

function catalogueOf(version: string, files: readonly TemplateFile[], renamed?: Record<string, string>): Catalogue {
  const tiny = tinyCatalogue({ version });
  return { ...tiny, base: { ...tiny.base, files: [...tiny.base.files, ...files], ...(renamed && { renamed }) } };
}

const first = catalogueOf(
  '1.0.0',
  Object.entries(parts).map(([path, content]) => text(path, content)),
);
const second = catalogueOf(
  '1.1.0',
  [text(now, whole)],
  Object.fromEntries(Object.keys(parts).map((path) => [path, now])),
);

function reconciled(tree: Tree, catalogue: Catalogue): Prepared {
  const manifest = newManifest({ name: 'orders' }, catalogue);
  return prepare(serviceOf(tree), { catalogue, merge, edit: () => manifest });
}

function edited(edits: Readonly<Record<string, string | undefined>>): Tree {
  const tree = new Map(applyTo(new Map(), reconciled(new Map(), first).changes));
  for (const [path, content] of Object.entries(edits)) {
    if (content === undefined) tree.delete(path);
    else tree.set(path, { bytes: encode(content), mode: 0o644 });
  }
  return tree;
}

function updated(tree: Tree): { readonly tree: Tree; readonly told: string[] } {
  const { entries, changes } = reconciled(tree, second);
  const after = applyTo(tree, changes);
  // And it settles.
  expect(reconciled(after, second).changes).toEqual([]);
  return { tree: after, told: entries.map(({ action, path, reason }) => `${action} ${path}: ${reason}`) };
}

function read(tree: Tree, path: string): string | undefined {
  const file = tree.get(path);
  return file === undefined ? undefined : decode(file.bytes);
}

describe('several files that the templates joined', () => {
  it('become the one file, and the others go', () => {
    const { tree, told } = updated(edited({}));
    expect(read(tree, now)).toBe(whole);
    for (const path of Object.keys(parts)) expect(tree.has(path)).toBe(false);
    expect(told).toContainEqual(`delete internal/log/drops.ts: now part of ${now}`);
  });

  it('keep the edits of each', () => {
    const { tree } = updated(
      edited({
        'internal/log/time.ts': parts['internal/log/time.ts'].replace('return a;', 'return `${a} sharp`;'),
        'internal/log/drops.ts': `${parts['internal/log/drops.ts']}\n// Mine.\n`,
      }),
    );
    expect(read(tree, now)).toBe(`${whole.replace('return a;', 'return `${a} sharp`;')}\n// Mine.\n`);
  });

  it.each(Object.keys(parts))('keep the edits of each where the one file has the path of %s', (kept) => {
    const renamed = Object.fromEntries(Object.keys(parts).map((path) => [path, kept]));
    const third = catalogueOf('1.1.0', [text(kept, whole)], renamed);
    const tree = edited({ 'internal/log/drops.ts': `${parts['internal/log/drops.ts']}\n// Mine.\n` });
    const after = applyTo(tree, reconciled(tree, third).changes);
    expect(read(after, kept)).toBe(`${whole}\n// Mine.\n`);
    expect(Object.keys(parts).filter((path) => after.has(path))).toEqual([kept]);
    expect(reconciled(after, third).changes).toEqual([]);
  });

  it('are the documents of one file of YAML', () => {
    const yaml = { 'deploy/a.yaml': 'kind: A\n', 'deploy/b.yaml': 'kind: B\n' };
    const joined = text('deploy/all.yaml', 'kind: A\n---\nkind: B\n');
    const renamed = Object.fromEntries(Object.keys(yaml).map((path) => [path, 'deploy/all.yaml']));
    const former = catalogueOf(
      '1.0.0',
      Object.entries(yaml).map(([path, content]) => text(path, content)),
    );
    const tree = new Map(applyTo(new Map(), reconciled(new Map(), former).changes));
    tree.set('deploy/b.yaml', { bytes: encode('kind: B\nmine: true\n'), mode: 0o644 });
    const after = applyTo(tree, reconciled(tree, catalogueOf('1.1.0', [joined], renamed)).changes);
    expect(read(after, 'deploy/all.yaml')).toBe('kind: A\n---\nkind: B\nmine: true\n');
  });

  describe('as documents of one file that has the path of the first', () => {
    const service = 'kind: Service\n';
    const scaler = 'kind: Scaler\n';
    const before = catalogueOf('1.0.0', [text('deploy/a.yaml', service), text('deploy/b.yaml', scaler)]);
    const both = catalogueOf('1.1.0', [text('deploy/a.yaml', `${service}---\n${scaler}`)], {
      'deploy/a.yaml': 'deploy/a.yaml',
      'deploy/b.yaml': 'deploy/a.yaml',
    });
    const joined = (edits: Readonly<Record<string, string | undefined>>): Tree => {
      const tree = new Map(applyTo(new Map(), reconciled(new Map(), before).changes));
      for (const [path, content] of Object.entries(edits)) {
        if (content === undefined) tree.delete(path);
        else tree.set(path, { bytes: encode(content), mode: 0o644 });
      }
      const after = applyTo(tree, reconciled(tree, both).changes);
      expect(reconciled(after, both).changes).toEqual([]);
      return after;
    };

    it.each([
      ['written when no part was edited', {}, `${service}---\n${scaler}`],
      [
        'separated when one has no line end at its end',
        { 'deploy/a.yaml': 'kind: Mine' },
        `kind: Mine\n---\n${scaler}`,
      ],
      ['without the one that was deleted', { 'deploy/b.yaml': undefined }, service],
    ])('are %s', (_, edits, expected) => {
      const tree = joined(edits);
      expect(read(tree, 'deploy/a.yaml')).toBe(expected);
      expect(tree.has('deploy/b.yaml')).toBe(false);
    });
  });

  it('are followed by the imports of the user’s code, and a deleted one comes back with the others', () => {
    const { tree } = updated(
      edited({
        'internal/log/drops.ts': undefined,
        'internal/orders/mine.ts': "import { drops } from '../log/drops.ts';\nimport { time } from '../log/time.ts';\n",
        'internal/log/time.ts': parts['internal/log/time.ts'].replace(
          'return a;',
          "void import('../orders/mine.ts');\n  return a;",
        ),
      }),
    );
    expect(read(tree, 'internal/orders/mine.ts')).toContain("import { time } from '../platform/log/logger.ts'");
    expect(read(tree, now)).toContain("void import('../../orders/mine.ts');");
    expect(read(tree, now)).toContain('export function drops()');
  });
});
