import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const Package = Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) });

/** What a build writes down of itself, in `dist/build.json`. */
const Build = Type.Partial(Type.Object({ version: Type.String(), revision: Type.String(), date: Type.String() }));

/** Which service this is, and which build of it. */
export interface About extends Static<typeof Build> {
  readonly name: string;
  readonly version: string;
}

/**
 * @param packageJson path of the service's package.json
 * @param build path of what the build wrote; the sources have none
 * @returns name and version as package.json says; version, commit (`revision`) and date of the build where there is one
 */
export function readAbout(packageJson: string, build: string): About {
  const { name, version = '0.0.0' } = Value.Parse(Package, readJson(packageJson));
  return { name, version, ...(existsSync(build) ? Value.Parse(Build, readJson(build)) : {}) };
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** This service. Seen from what was compiled, the path leads into `dist/`. */
export const about = readAbout(
  findPackageJSON(import.meta.url) ?? 'package.json',
  path.join(import.meta.dirname, '..', '..', '..', 'build.json'),
);
