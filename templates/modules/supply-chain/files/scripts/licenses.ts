/**
 * Fails when something that runs in production has a licence that `scripts/licenses.json` does not allow. A package may be
 * allowed by name, under `exceptions`, with the licence that it was read to have. The packages are those in `node_modules` that
 * this service and its production dependencies need: `npm run licenses`.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { readArguments, root } from './build.ts';

const Fields = Type.Record(Type.String(), Type.Unknown());
const Policy = Type.Object({ allowed: Type.Array(Type.String()), exceptions: Fields });

/** Folder → its package.json. */
const packages = new Map<string, Static<typeof Fields>>();
const faults: string[] = [];

/** Reads the package of a folder, and all packages that it needs. Metadata of a peer says that it is optional. */
function visit(folder: string): void {
  const found = Value.Parse(Fields, readJson(path.join(folder, 'package.json')));
  packages.set(folder, found);
  const namesIn = (field: string): string[] => Object.keys(found[field] ?? {});
  const [required, optionalPeers] = [namesIn('dependencies'), namesIn('peerDependenciesMeta')];
  const peers = namesIn('peerDependencies').filter((name) => !optionalPeers.includes(name));
  for (const name of new Set([...required, ...namesIn('optionalDependencies'), ...peers])) {
    const place = placeOf(name, folder);
    if (place !== undefined && !packages.has(place)) visit(place);
    if (place === undefined && required.includes(name)) faults.push(`${name} is not installed, which ${folder} needs`);
  }
}

/** Finds a package as Node does (https://nodejs.org/api/modules.html#loading-from-node_modules-folders). */
function placeOf(name: string, from: string): string | undefined {
  const place = path.join(from, 'node_modules', name);
  if (existsSync(path.join(place, 'package.json'))) return realpathSync(place);
  return path.dirname(from) === from ? undefined : placeOf(name, path.dirname(from));
}

/** Whether one may choose allowed licences only; false for what this cannot read: https://spdx.org/licenses/. */
function isAllowed(license: string, allowed: readonly string[]): boolean {
  const choices = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((identifier) => allowed.includes(identifier)));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(`cannot read ${file}: ${String(error)}\n`);
    return process.exit(2);
  }
}

const [service = root] = readArguments('licenses [folder]', 1);
const { allowed, exceptions } = Value.Parse(Policy, readJson(path.join(import.meta.dirname, 'licenses.json')));
visit(existsSync(service) ? realpathSync(service) : service);
// The service itself and members of a workspace are not in node_modules.
const others = [...packages].flatMap(([folder, found]) => (/[\\/]node_modules[\\/]/.test(folder) ? [found] : []));
for (const { name, version, license } of others) {
  const text = typeof license === 'string' ? license : '';
  if (isAllowed(text, allowed) || exceptions[String(name)] === text) continue;
  const id = `${String(name)}@${String(version)}`;
  faults.push(`${id}: ${text || 'no licence'} is not allowed by scripts/licenses.json`);
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stdout.write(`licences: ${others.length} packages, ${faults.length} faults\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
