/**
 * Fails when something that runs in production has a licence that `scripts/licenses.json` does not allow. A package may be
 * allowed by name, under `exceptions`, with the licence that it was read to have. The package manager lists the packages on
 * standard input: `npm run licenses`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Policy = Type.Object({
  allowed: Type.Array(Type.String()),
  exceptions: Type.Record(Type.String(), Type.String()),
});
/** `npm query .prod`: a list with the service itself and, in a workspace, its root and members, which are not in `node_modules`. */
const NpmList = Type.Array(
  Type.Object({
    name: Type.String(),
    version: Type.Optional(Type.String()),
    location: Type.String(),
    license: Type.Optional(Type.Unknown()),
  }),
);
/** `pnpm licenses list --prod --json`: packages by their licence. */
const PnpmList = Type.Record(
  Type.String(),
  Type.Array(Type.Object({ name: Type.String(), versions: Type.Array(Type.String()) })),
);

/** @returns the packages that the package manager listed: `name@version`, name, licence (an SPDX expression) */
function packagesIn(list: unknown): { id: string; name: string; license: string }[] {
  if (Value.Check(NpmList, list)) {
    return list
      .filter(({ location }) => location.includes('node_modules/'))
      .map(({ name, version, license }) => ({
        id: `${name}@${version ?? ''}`,
        name,
        license: typeof license === 'string' ? license : '',
      }));
  }
  return Object.entries(Value.Parse(PnpmList, list)).flatMap(([license, packages]) =>
    packages.flatMap(({ name, versions }) => versions.map((version) => ({ id: `${name}@${version}`, name, license }))),
  );
}

/** Whether one may choose allowed licences only; false for what this cannot read: https://spdx.org/licenses/. */
function isAllowed(license: string, allowed: readonly string[]): boolean {
  const choices = license.replace(/^\((.*)\)$/, '$1').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((identifier) => allowed.includes(identifier)));
}

const policy: unknown = JSON.parse(readFileSync(path.join(import.meta.dirname, 'licenses.json'), 'utf8'));
const { allowed, exceptions } = Value.Parse(Policy, policy);
const packages = packagesIn(JSON.parse(await text(process.stdin)));
const refused = packages.filter(({ name, license }) => !isAllowed(license, allowed) && exceptions[name] !== license);
for (const { id, license } of refused) {
  process.stderr.write(`${id}: ${license || 'no licence'} is not allowed by scripts/licenses.json\n`);
}
if (packages.length === 0) process.stderr.write('no package is installed, so no licence is known\n');
process.stdout.write(`licences: ${packages.length} packages, ${refused.length} refused\n`);
process.exitCode = refused.length > 0 || packages.length === 0 ? 1 : 0;
