import { placeOf } from '../manifest.ts';
import type { Derivation } from '../model.ts';
import { packageManagerDefinitions } from '../packageManagers/index.ts';
import type { Composer } from './composer.ts';
import { packageJsonOf, printPackageJson } from './packageJson.ts';

/** Lockfiles that package managers also read. */
const otherLockfiles = ['npm-shrinkwrap.json', 'bun.lockb'];

/**
 * The lockfile of the service's package manager: the part of the catalogue's lockfile that the service needs. It follows `package.json`
 * on disk. It keeps what the package manager has written for the user's own packages.
 */
export const composeLockfile: Composer = (input) => {
  const { lockfiles } = input.catalogue;
  // In a workspace, the package manager writes one lockfile for all members.
  if (lockfiles === undefined || placeOf(input.manifest).inWorkspace) return [];
  const { lockfile: path, mergeLockfile } = packageManagerDefinitions[input.manifest.packageManager];
  const print = (after: unknown): string | undefined => {
    const printed = mergeLockfile({ before: {}, after, yours: undefined, raise: false }, lockfiles);
    return 'text' in printed ? printed.text : undefined;
  };
  const source = packageJsonOf(input);
  const sourceText = printPackageJson(source);
  const text = print(source);
  if (text === undefined) return [];
  const derivation: Derivation = {
    from: 'package.json',
    print: (now) => (now === sourceText ? text : print(parsed(now))),
    adapt: (yours, { before, after }, raise) =>
      mergeLockfile({ before: parsed(before), after: parsed(after), yours, raise }, lockfiles),
    // Another package manager writes one of these files instead.
    rivals: [...Object.values(packageManagerDefinitions).map(({ lockfile }) => lockfile), ...otherLockfiles].filter(
      (name) => name !== path,
    ),
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
