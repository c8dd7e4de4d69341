import { existsSync, readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { type Static, type TSchema, Type } from 'typebox';
import { matches } from '../../../pkg/validation/index.ts';

const Package = Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) });
const Build = Type.Partial(Type.Object({ version: Type.String(), revision: Type.String(), date: Type.String() }));

/** Name and build of this service. */
export interface About extends Static<typeof Build> {
  readonly name: string;
  readonly version: string;
}

/**
 * @param packageJson path of the service's package.json
 * @param build path of `dist/build.json`, which only a build has; the default is none
 * @returns name and version of package.json; a build adds its version, commit (`revision`) and date
 */
export function readAbout(packageJson: string, build = ''): About {
  const { name, version = '0.0.0' } = readJson(Package, packageJson);
  return { name, version, ...(existsSync(build) ? readJson(Build, build) : {}) };
}

function readJson<Schema extends TSchema>(schema: Schema, file: string): Static<Schema> {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!matches(schema, value)) throw new Error(`${file} has no valid name, version, revision or date`);
  return value;
}

/** This service. Compiled code stands in `dist/`, beside build.json. */
export const about = readAbout(
  findPackageJSON(import.meta.url) ?? 'package.json',
  path.join(import.meta.dirname, '../../../build.json'),
);
