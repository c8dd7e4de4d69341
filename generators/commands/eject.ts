import { changing, defineCommand } from '../command.ts';
import type { Catalogue, Manifest, PlanEntry } from '../engine/model.ts';
import { badInput } from '../engine/errors.ts';
import { testsToEject } from '../engine/platformTests.ts';
import { matchesPattern } from '../engine/reconcile/policy.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';
import { didYouMean, fewOf } from '../engine/suggest.ts';
import { pathInService, withPast } from '../io/service.ts';
import { planning } from '../planning.ts';
import { manifestOf, presentService } from '../present.ts';

export const command = defineCommand({
  usage: '<file...>',
  summary: 'make files yours: Slipway no longer changes them',
  flags: changing,
  ask: async (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    if (invocation.args.length === 0)
      throw badInput('slipway eject needs a file', 'slipway explain <file> shows who owns it');
    const { files } = await withPast(root, ({ lock }) => lock);
    const paths = invocation.args.flatMap((file) => templatePaths(pathInService(file, invocation.cwd, root), files));
    return {
      root,
      packageManager: manifestOf(raw, catalogue).packageManager,
      notes: [
        `${fewOf(paths)} ${paths.length === 1 ? 'is' : 'are'} yours alone; to give back, edit "ejected" in slipway.json`,
      ],
      prepare: async (settled) => {
        const edit = (now: unknown): Manifest => {
          const manifest = manifestOf(now, catalogue);
          return { ...manifest, ejected: [...new Set([...(manifest.ejected ?? []), ...paths])].sort() };
        };
        const prepared = await planning(root, catalogue, invocation, edit)(settled);
        return withTests(prepared, paths, manifestOf(raw, catalogue), catalogue);
      },
    };
  },
});

/**
 * Returns the template paths of a file or folder that the user may have moved, or of the files that a pattern matches. The path of a
 * folder ends with `/`.
 */
function templatePaths(name: string, files: Readonly<Record<string, { at?: string }>>): string[] {
  // A folder stays ejected as a whole, with files that come later.
  const file = name.replace(/\/\*\*$/, '');
  const places = Object.entries(files).map(([path, { at }]) => [path, at ?? path] as const);
  const found = places.find(([, place]) => place === file)?.[0];
  if (found !== undefined) return [found];
  if (places.some(([path, place]) => path === place && path.startsWith(`${file}/`))) return [`${file}/`];
  const matching = places.filter(([, place]) => /[*?]/.test(file) && matchesPattern(place, file));
  if (matching.length > 0) return matching.map(([path]) => path);
  throw badInput(`${file} is not a file that Slipway wrote`, didYouMean(file, Object.keys(files)));
}

/** Adds the tests of the ejected folders. The user owns these tests from the start. */
function withTests(prepared: Prepared, paths: readonly string[], manifest: Manifest, catalogue: Catalogue): Prepared {
  const folders = paths.filter((path) => path.endsWith('/'));
  if (folders.length === 0) return prepared;
  const tests = [...testsToEject(folders, manifest, catalogue)].filter(([path]) => prepared.before(path) === undefined);
  const entries = tests.map(([path, { bytes, mode, module }]): PlanEntry => ({
    path,
    action: 'create',
    module,
    reason: 'a test of what you have ejected',
    conflicts: [],
    changes: [{ path, expect: null, write: bytes, mode }],
  }));
  return {
    ...prepared,
    entries: [...prepared.entries, ...entries].sort((a, b) => (a.path < b.path ? -1 : 1)),
    changes: [...entries.flatMap(({ changes }) => changes), ...prepared.changes],
  };
}
