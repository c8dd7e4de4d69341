import { mergeNpmLock } from './npmLock.ts';
import { placeOf } from '../manifest.ts';
import type { Adaptation, Derivation } from '../model.ts';
import { packageManagerCommands } from '../template.ts';
import type { Composer, LockfileMerge } from './composer.ts';
import { packageJsonOf, printPackageJson } from './packageJson.ts';
import { mergePnpmLock } from './pnpmLock.ts';

/** Names of lockfiles. Another package manager writes one of the other files instead. */
const rivals = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

/**
 * The lockfile of the service's package manager: the part of the catalogue's lockfile that the service needs. It follows `package.json`
 * on disk. It keeps what the package manager has written for the user's own packages.
 */
export const composeLockfile: Composer = (input) => {
  const { lockfiles } = input.catalogue;
  // In a workspace, the package manager writes one lockfile for all members.
  if (lockfiles === undefined || placeOf(input.manifest).inWorkspace) return [];
  const { packageManager } = input.manifest;
  const { lockfile: path } = packageManagerCommands[packageManager];
  const merge = (sides: Omit<LockfileMerge<never>, 'pins'>): Adaptation =>
    packageManager === 'npm'
      ? mergeNpmLock({ ...sides, pins: lockfiles.npm })
      : mergePnpmLock({ ...sides, pins: lockfiles.pnpm });
  const print = (after: unknown): string | undefined => {
    const printed = merge({ before: {}, after, yours: undefined, raise: false });
    return 'text' in printed ? printed.text : undefined;
  };
  const source = packageJsonOf(input);
  const sourceText = printPackageJson(source);
  const text = print(source);
  if (text === undefined) return [];
  const derivation: Derivation = {
    from: 'package.json',
    print: (now) => (now === sourceText ? text : print(parsed(now))),
    adapt: (yours, { before, after }, raise) => merge({ before: parsed(before), after: parsed(after), yours, raise }),
    rivals: rivals.filter((name) => name !== path),
  };
  return [[path, { text, ownership: 'derived', derivation }]];
};

/** @returns undefined when the text is not JSON, for example because it has conflict markers */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
