import { exitCodes, SlipwayError } from '../errors.ts';
import { fieldOf } from '../json.ts';
import type { Plan, Service } from '../model.ts';
import { decode } from '../text.ts';
import { codeAfter, textsAfter } from './codeAfter.ts';
import { findUsages, type Usage } from './usages.ts';

/**
 * Refuses a plan that deletes a file or a package that a remaining file imports.
 * @param service the current state of the service
 * @param plan what to do with its files
 * @throws SlipwayError (exit code 3) that names every place that still needs a deleted file or package
 */
export function refuseDanglingImports(service: Service, { entries }: Plan): void {
  // A new service loses nothing.
  if (service.files().length === 0) return;
  const after = textsAfter(entries);
  const files = new Set([...after].flatMap(([path, text]) => (text === undefined ? [path] : [])));
  const packages = packagesGone(service, after.get('package.json'));
  if (files.size === 0 && packages.size === 0) return;
  const usages = findUsages(codeAfter(service, after), { files, packages });
  if (usages.length > 0) throw stillNeeded(usages);
}

function packagesGone({ read }: Service, after: string | undefined): ReadonlySet<string> {
  const present = read('package.json');
  const [before, left] = [present === undefined ? undefined : decode(present.bytes), after].map(dependenciesIn);
  // A file that does not parse, for example one with conflict markers, gives no information about dependencies.
  if (before === undefined || left === undefined) return new Set();
  return new Set([...before].filter((name) => !left.has(name)));
}

const groups = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];

/** @returns undefined when it is not JSON */
function dependenciesIn(text: string | undefined): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return new Set(groups.flatMap((group) => Object.keys(fieldOf(value, group) ?? {})));
  } catch {
    return undefined;
  }
}

function stillNeeded(usages: readonly Usage[]): SlipwayError {
  const places = usages.map(({ path, line, specifier }) => `  ${path}:${line} imports ${specifier}`);
  return new SlipwayError(exitCodes.conflicts, `your code still needs what would be removed:\n${places.join('\n')}`, {
    hint: 'take these imports out first; nothing was written',
    details: { usages },
  });
}
