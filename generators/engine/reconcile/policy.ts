import { badInput } from '../errors.ts';
import { type ConflictChoice, conflictChoices, type Manifest } from '../model.ts';

/** Says what happens to the conflicts in some files. Of several rules for a file, the last one decides. */
export interface ConflictRule {
  /** A pattern of paths from the service's root. See {@link matchesPattern}. */
  readonly paths: string;
  readonly choice: ConflictChoice;
  /** Whether it is a rule of the manifest, which applies to every run. */
  readonly isStanding?: true;
  /** The content that the user has given a file while settling its conflicts. */
  readonly text?: Uint8Array;
}

/** The pattern of all files. */
const everywhere = '**';

/**
 * Reads one value of `--conflict`.
 * @param value a choice, for all files, or a choice, a colon and a pattern of paths
 * @returns the rule
 * @throws SlipwayError (exit code 2) when there is no such choice
 */
export function parseConflictRule(value: string): ConflictRule {
  const colon = value.indexOf(':');
  const [word, paths] = colon === -1 ? [value, everywhere] : [value.slice(0, colon), value.slice(colon + 1)];
  const choice = conflictChoices.find((known) => known === word);
  if (choice === undefined || paths === '') {
    throw badInput(
      `--conflict takes ${conflictChoices.join(', ')}; given: ${value}`,
      'for some files only: --conflict=theirs:deploy/ (a file, a folder, or a pattern with * and **)',
    );
  }
  return { paths, choice };
}

/**
 * @param paths of one file: where it is, and where it is going to be
 * @param rules in the order in which they were given
 * @returns the last rule that matches one of the paths
 */
export function ruleFor(paths: readonly string[], rules: readonly ConflictRule[]): ConflictRule | undefined {
  return rules.findLast((rule) => paths.some((path) => matchesPattern(path, rule.paths)));
}

/**
 * Matches a path with a pattern, both from the service's root. `*` and `?` match within one name, `**` matches any number of folders. A
 * pattern that does not end with `*` also matches all that is in a folder of this name. The time is linear in each of the two lengths,
 * because the pattern may come from a stranger.
 * @param path with `/`
 * @param pattern for example `deploy/`, `docs/*.md` or `**\/k8s/**`
 * @returns whether they match
 */
export function matchesPattern(path: string, pattern: string): boolean {
  const whole = tidied(pattern);
  if (!/[*?]/.test(whole)) return whole === '' || path === whole || path.startsWith(`${whole}/`);
  return matches(path, whole, !whole.endsWith('*'));
}

/**
 * Matches the path of a folder with a pattern of folders. It is as {@link matchesPattern}, except that what is in a folder does not match the
 * pattern of the folder.
 * @param folder with `/`
 * @param pattern for example `services/*`
 * @returns whether they match
 */
export function matchesFolder(folder: string, pattern: string): boolean {
  return matches(folder, tidied(pattern), false);
}

function tidied(pattern: string): string {
  const names = pattern.split('/').filter((name) => name !== '' && name !== '.');
  return names.join('/');
}

/** @param isFolder whether all that is in a folder of this name matches, too */
function matches(path: string, pattern: string, isFolder: boolean): boolean {
  const tokens = pattern.match(/\*\*\/?|[^]/gu) ?? [];
  /** The tokens that may match the next character. */
  let states = new Set<number>();
  const reach = (state: number, atStart: boolean): void => {
    if (states.has(state)) return;
    states.add(state);
    const token = tokens[state];
    if (token === '*' || token === '**' || (token === '**/' && atStart)) reach(state + 1, atStart);
  };
  reach(0, true);
  for (const character of path) {
    if (isFolder && character === '/' && states.has(tokens.length)) return true;
    const before = states;
    states = new Set();
    for (const state of before) {
      const token = tokens[state];
      if (token === undefined) continue;
      if (token.startsWith('**') || (token === '*' && character !== '/')) reach(state, character === '/');
      else if (token === character || (token === '?' && character !== '/')) reach(state + 1, character === '/');
    }
  }
  return states.has(tokens.length);
}

/**
 * @param manifest the desired state of a service
 * @returns its rules for conflicts, in its order
 */
export function policyOf({ conflicts = {} }: Pick<Manifest, 'conflicts'>): ConflictRule[] {
  return Object.entries(conflicts).map(([paths, choice]) => ({ paths, choice, isStanding: true }));
}
