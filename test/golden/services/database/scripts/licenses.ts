/**
 * Fails when something that runs in production has a licence that `scripts/licenses.json` does not allow: `npm run licenses`. A
 * package may be allowed by name, under `exceptions`, with the licence that it was read to have.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { installedService, isAllowed, productionPackages } from './packages.ts';
import { root } from './buildInfo.ts';

const Policy = Type.Object({
  allowed: Type.Array(Type.String()),
  exceptions: Type.Record(Type.String(), Type.String()),
});
const { allowed, exceptions } = Value.Parse(
  Policy,
  JSON.parse(readFileSync(path.join(import.meta.dirname, 'licenses.json'), 'utf8')),
);

const packages = productionPackages(installedService(root));
const refused = packages.filter(({ name, license }) => !isAllowed(license, allowed) && exceptions[name] !== license);
for (const { name, version, license } of refused) {
  process.stderr.write(`${name}@${version}: ${license || 'no licence'} is not allowed by scripts/licenses.json\n`);
}
process.stdout.write(`licences: ${packages.length} packages, ${refused.length} refused\n`);
process.exitCode = refused.length > 0 ? 1 : 0;
