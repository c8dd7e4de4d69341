import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const { name, version = '0.0.0' } = Value.Parse(
  Type.Object({ name: Type.String(), version: Type.Optional(Type.String()) }),
  JSON.parse(readFileSync(findPackageJSON(import.meta.url) ?? 'package.json', 'utf8')),
);

/** Name and version of this service, as its package.json says. */
export const about = { name, version };
