import { defineCommand } from '../command.ts';
import { fieldOf } from '../engine/json.ts';
import { manifestPath } from '../engine/manifest.ts';
import type { Catalogue, LockedFile, Ownership, Service } from '../engine/model.ts';
import { badInput, exitCodes } from '../engine/errors.ts';
import { isIn } from '../engine/names.ts';
import { isUntested } from '../engine/platformTests.ts';
import { isSecret } from '../io/paths.ts';
import { matchesPattern } from '../engine/reconcile/policy.ts';
import { quoted } from '../report/visible.ts';
import { pathInService, withPast } from '../io/service.ts';
import { manifestOf, presentService } from '../present.ts';

const meaning: Readonly<Record<Ownership, string>> = {
  managed: 'managed: Slipway rewrites it; edit it only after `slipway eject`',
  merged: 'merged: your edits and Slipway’s are merged, line by line or key by key',
  derived: 'derived: printed from another file of the service, and again whenever that one changes',
  seed: 'seed: written once; it is yours, and Slipway does not touch it again',
};

const states = {
  unedited: 'as Slipway wrote it',
  edited: 'edited since Slipway wrote it',
  missing: 'missing: Slipway leaves it out',
  sparse: 'not checked out by git: Slipway leaves it alone until it is',
} as const;

export const command = defineCommand({
  usage: '<file>',
  summary: 'show who owns a file and what happens to your edits',
  flags: {},
  read: async (invocation) => {
    const [file] = invocation.args;
    if (file === undefined) throw badInput('slipway explain needs a file', 'for example: slipway explain package.json');
    const { root, raw, catalogue } = presentService(invocation);
    const path = pathInService(file, invocation.cwd, root);
    const service = await withPast(root, ({ lock, read, sparse }) => ({ lock, read, sparse }));
    const found = Object.entries(service.lock.files).find(([home, { at }]) => (at ?? home) === path);
    if (found === undefined) return stranger(path, service, fieldOf(raw, 'ejected'));
    const [home, locked] = found;
    const state = stateOf(path, locked, service);
    const moved = home === path ? [] : [`moved by you from ${home}; updates follow it`];
    // A derived file usually differs from its first version, because it follows its source. The state is left out.
    const edits = locked.ownership === 'derived' && state === 'edited' ? [] : [states[state]];
    const back = state === 'missing' ? [`\`slipway update --conflict=theirs:${path}\` writes it again`] : [];
    const untested =
      locked.ownership === 'merged' && state === 'edited' && lacksTests(home, raw, catalogue) ? [withoutTests] : [];
    const lines = [
      `from ${locked.module}`,
      meaning[locked.ownership],
      ...edits,
      ...back,
      ...moved,
      ...settledBy([path, home], raw),
      ...untested,
    ];
    return {
      exitCode: exitCodes.done,
      json: { path, ...locked, home, state },
      text: [path, ...lines.map((line) => `  ${line}`)].join('\n'),
    };
  },
});

/** Tells which rule of the manifest settles conflicts in a file. The manifest may be of another catalogue, and is not checked. */
function settledBy(paths: readonly string[], raw: unknown): string[] {
  const conflicts = Object.entries(fieldOf(raw, 'conflicts') ?? {}).map(
    ([pattern, choice]) => [pattern, String(choice)] as const,
  );
  const rule = conflicts.findLast(([pattern]) => paths.some((path) => matchesPattern(path, pattern)));
  return rule === undefined ? [] : [`conflicts: ${rule[1]}, by ${quoted(rule[0])} in slipway.json`];
}

const withoutTests =
  'its tests are not in this service: `slipway eject` of its folder brings them, or "platformTests": true in slipway.json';

/** Returns false when the service is at another catalogue. */
function lacksTests(home: string, raw: unknown, catalogue: Catalogue): boolean {
  return fieldOf(raw, 'catalogue') === catalogue.version && isUntested(home, manifestOf(raw, catalogue), catalogue);
}

function stateOf(
  path: string,
  { hash }: LockedFile,
  { read, sparse }: { readonly read: Service['read']; readonly sparse: Service['sparse'] },
): keyof typeof states {
  const present = read(path);
  if (present === undefined) return sparse?.has(path) ? 'sparse' : 'missing';
  return present.hash === hash ? 'unedited' : 'edited';
}

function stranger(path: string, { read, lock }: Pick<Service, 'read' | 'lock'>, ejected: unknown) {
  const inside = Object.entries(lock.files).find(([home, { at }]) => (at ?? home).startsWith(`${path}/`))?.[0];
  if (inside !== undefined) throw badInput(`${path} is a folder`, `name a file in it: slipway explain ${inside}`);
  const state = kindOf(path, ejected);
  if (state === 'yours' && !isSecret(path) && read(path) === undefined) throw badInput(`there is no file ${path}`);
  const line = {
    manifest: 'the desired state of this service: edit it, then `slipway check` and `slipway update`',
    memory: 'what Slipway remembers of this service: commit it, and leave it to Slipway',
    ejected: 'ejected: Slipway let go of it',
    yours: 'yours: Slipway did not write it and does not touch it',
  }[state];
  return { exitCode: exitCodes.done, json: { path, state }, text: `${path}\n  ${line}` };
}

function kindOf(path: string, ejected: unknown): 'manifest' | 'memory' | 'ejected' | 'yours' {
  if (path === manifestPath) return 'manifest';
  if (path.startsWith('.slipway/')) return 'memory';
  return Array.isArray(ejected) && isIn(path, ejected.map(String)) ? 'ejected' : 'yours';
}
