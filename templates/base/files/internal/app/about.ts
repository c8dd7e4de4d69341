import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** Name and version of this service, as its package.json says. */
export const about = Value.Parse(
  Type.Object({ name: Type.String(), version: Type.String({ default: '0.0.0' }) }),
  JSON.parse(readFileSync(findPackageJSON(import.meta.url) ?? 'package.json', 'utf8')),
);
