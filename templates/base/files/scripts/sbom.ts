/**
 * Prints what runs in production as a bill of materials: `npm run --silent sbom > sbom.json`. Package managers have commands of
 * their own for that, but npm's leaves out what development needs as well (npm/cli issue 7909), and pnpm 10 has none.
 */
import { buildInfo, root } from './buildInfo.ts';
import { type InstalledPackage, installedService, productionPackages } from './packages.ts';

/**
 * @param service as it is installed
 * @param date of the commit (RFC 3339), when it is known. Nothing depends on when or where it is made: no serial number either
 * @returns a document of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)
 */
export function billOfMaterials(service: InstalledPackage, date?: string): object {
  const packages = productionPackages(service);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      ...(date && { timestamp: date }),
      lifecycles: [{ phase: 'build' }],
      component: { type: 'application', 'bom-ref': urlOf(service), name: service.name, version: service.version },
    },
    components: [...new Map(packages.map((each) => [urlOf(each), each])).values()].map(component),
    dependencies: [...Map.groupBy([service, ...packages], urlOf)].map(([ref, installed]) => ({
      ref,
      // A version may be there twice, and find others beside it in each place.
      dependsOn: [...new Set(installed.flatMap(({ dependencies }) => dependencies.map(urlOf)))].toSorted(),
    })),
  };
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md */
function urlOf({ name, version }: InstalledPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
}

function component(installed: InstalledPackage): object {
  const { name, version, license } = installed;
  const isExpression = /^\(?[\w.+-]+( (AND|OR|WITH) [\w.+-]+)*\)?$/.test(license);
  const licenses = isExpression ? [{ expression: license }] : [{ license: { name: license } }];
  const url = urlOf(installed);
  return { type: 'library', 'bom-ref': url, name, version, purl: url, ...(license && { licenses }) };
}

if (import.meta.main) {
  const { version, date } = buildInfo(root, process.env);
  const document = billOfMaterials({ ...installedService(root), version }, date);
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
