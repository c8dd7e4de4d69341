import { describe, expect, it } from 'vitest';
import type { InstalledPackage } from './packages.ts';
import { billOfMaterials } from './sbom.ts';

function installed(id: string, license = 'MIT', dependencies: InstalledPackage[] = []) {
  const at = id.lastIndexOf('@');
  return { name: id.slice(0, at), version: id.slice(at + 1), license, dependencies };
}

describe('the bill of materials', () => {
  it('lists each package once, by its URL, with its licence', () => {
    const twice = [installed('b@1.0.0+build'), installed('b@1.0.0+build')];
    const packages = [installed('@scope/a@2.0.0', '(MIT OR Apache-2.0)', twice), installed('c@1.0.0', 'SEE LICENSE')];
    const service = installed('orders@0.1.0', '', [...packages, installed('d@1.0.0', '')]);
    expect(billOfMaterials(service)).toMatchObject({
      metadata: { component: { 'bom-ref': 'pkg:npm/orders@0.1.0' } },
      components: [
        { name: '@scope/a', purl: 'pkg:npm/%40scope/a@2.0.0', licenses: [{ expression: '(MIT OR Apache-2.0)' }] },
        { name: 'b', purl: 'pkg:npm/b@1.0.0%2Bbuild', licenses: [{ expression: 'MIT' }] },
        { name: 'c', purl: 'pkg:npm/c@1.0.0', licenses: [{ license: { name: 'SEE LICENSE' } }] },
        { name: 'd', purl: 'pkg:npm/d@1.0.0' },
      ],
    });
  });

  it('tells what needs what, of a version that is there twice all that it finds', () => {
    const [old, young] = [installed('c@1.0.0'), installed('c@2.0.0')];
    const service = installed('orders@0.1.0', '', [
      installed('a@1.0.0', 'MIT', [installed('b@1.0.0', 'MIT', [old])]),
      installed('b@1.0.0', 'MIT', [young]),
    ]);
    expect(billOfMaterials(service)).toMatchObject({
      dependencies: [
        { ref: 'pkg:npm/orders@0.1.0', dependsOn: ['pkg:npm/a@1.0.0', 'pkg:npm/b@1.0.0'] },
        { ref: 'pkg:npm/a@1.0.0', dependsOn: ['pkg:npm/b@1.0.0'] },
        { ref: 'pkg:npm/b@1.0.0', dependsOn: ['pkg:npm/c@1.0.0', 'pkg:npm/c@2.0.0'] },
        { ref: 'pkg:npm/c@1.0.0', dependsOn: [] },
        { ref: 'pkg:npm/c@2.0.0', dependsOn: [] },
      ],
    });
  });

  it('is the same whenever it is made', () => {
    const service = installed('orders@0.1.0', '', [installed('a@1.0.0')]);
    const date = '2026-11-21T12:00:00.000Z';
    expect(billOfMaterials(service, date)).toEqual(billOfMaterials(service, date));
    expect(billOfMaterials(service, date)).toMatchObject({ metadata: { timestamp: date } });
    expect(billOfMaterials(service)).not.toHaveProperty('metadata.timestamp');
  });
});
