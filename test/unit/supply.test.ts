import { describe, expect, it } from 'vitest';
import { newManifest } from '../../generators/engine/manifest.ts';
import { type PackageManager, packageManagers } from '../../generators/engine/model.ts';
import { render } from '../../generators/engine/render.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { documents } from '../helpers/deployTree.ts';
import { offeredModules } from '../helpers/offeredModules.ts';

const catalogue = await buildCatalogue();
const files = Object.fromEntries(packageManagers.map((name) => [name, rendered(name)])) as Record<
  PackageManager,
  ReadonlyMap<string, string>
>;

/** Path → text of a service with everything. */
function rendered(packageManager: PackageManager): ReadonlyMap<string, string> {
  const manifest = newManifest({ name: 'orders', packageManager, modules: offeredModules, ci: ['github'] }, catalogue);
  return new Map([...render(manifest, catalogue)].map(([path, { bytes }]) => [path, new TextDecoder().decode(bytes)]));
}

function scriptsOf(packageManager: PackageManager): Record<string, string> {
  return JSON.parse(files[packageManager].get('package.json') ?? '').scripts;
}

describe('scripts', () => {
  it('audit what production needs, in the words of the package manager', () => {
    expect(scriptsOf('npm')['audit']).toContain('npm audit --omit=dev --audit-level=high');
    expect(scriptsOf('pnpm')['audit']).toContain('pnpm audit --prod --audit-level=high');
    expect(scriptsOf('yarn')['audit']).toContain('yarn npm audit --environment=production');
    expect(scriptsOf('bun')['audit']).toContain('bun audit --prod --audit-level=high');
  });

  it('check licences before every commit', () => {
    expect(scriptsOf('npm')['check']).toContain('node --run licenses');
  });

  it.each(packageManagers)('of CI are all there with %s', (packageManager) => {
    const [workflow] = documents(files[packageManager], /^\.github\/workflows\/ci\.yaml$/);
    const lines = Object.values<{ steps: { run?: string }[] }>(workflow.jobs).flatMap(
      ({ steps }) => steps.at(-1)?.run ?? [],
    );
    const called = lines.map((line) => line.replace(`${packageManager} run `, ''));
    expect(called).toContain('audit');
    expect(Object.keys(scriptsOf(packageManager))).toEqual(expect.arrayContaining(called));
  });
});

describe('renovate.json', () => {
  const [{ extends: presets, packageRules: rules, ...rest }] = documents(files.npm, /^renovate\.json$/);

  it('pins digests, by Renovate’s own best practices, and watches for vulnerabilities', () => {
    expect(presets).toContain('config:best-practices');
    expect(rest).toMatchObject({ osvVulnerabilityAlerts: true, vulnerabilityAlerts: { schedule: ['at any time'] } });
  });

  it('merges by itself nothing but patches of development tools', () => {
    const merging = rules.filter(({ automerge }: { automerge?: boolean }) => automerge);
    expect(merging).toHaveLength(1);
    expect(merging[0]).toMatchObject({ matchDepTypes: ['devDependencies'], matchUpdateTypes: ['patch'] });
    expect(rest).not.toHaveProperty('automerge');
  });

  it('says of every rule what it is for', () => {
    for (const { description } of rules) expect(description).toMatch(/\w+ \w+/);
  });
});
