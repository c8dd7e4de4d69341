import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../generators/engine/manifest.ts';
import {
  type Catalogue,
  type Manifest,
  type PackageManager,
  packageManagers,
} from '../../../generators/engine/model.ts';
import { addModules } from '../../../generators/engine/edit.ts';
import { render } from '../../../generators/engine/render.ts';
import { module, text, tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
const plain = newManifest({ name: 'orders' }, catalogue);
const all = addModules(plain, ['outbox', 'cache'], catalogue);

function file(path: string, manifest: Manifest = all, from: Catalogue = catalogue): string {
  return new TextDecoder().decode(render(manifest, from).get(path)?.bytes);
}

describe('the shared file', () => {
  it('modules.gen.ts lists each module after those it requires', () => {
    expect(file('internal/platform/app/modules.gen.ts')).toMatchInlineSnapshot(`
      "// Written by Slipway from slipway.json: change it with \`slipway add\` and \`slipway remove\`.
      import { cache } from '../../cache/module.ts';
      import { database } from '../../database/module.ts';
      import { outbox } from '../../outbox/module.ts';
      import { http } from '../http/module.ts';

      export const modules = [http, cache, database, outbox] as const;
      "
    `);
  });

  it('AGENTS.md has the commands of the package manager, and the rules and modules that are there', () => {
    const withRule = { ...catalogue, base: { ...catalogue.base, agentRules: ['Run `{run} proto`.'] } };
    const service = newManifest({ name: 'orders', modules: ['cache'], packageManager: 'pnpm' }, withRule);
    const agents = file('AGENTS.md', service, withRule);
    expect(agents).toContain('- Run `pnpm run proto`.');
    expect(agents).toContain('`pnpm run slipway plan add <module> --json`');
    expect(agents).toMatch(/^\| `cache` +\|/m);
    expect(agents).not.toContain('`database`');
  });

  it('compose.yaml merges the service with one fragment for each module', () => {
    expect(file('deploy/compose/compose.yaml')).toContain(
      'include:\n  - path:\n      - cache.yaml\n      - database.yaml\n      - service.yaml\n',
    );
  });

  it('kustomization.yaml has the components of modules, and none without', () => {
    expect(file('deploy/k8s/base/kustomization.yaml')).toContain(
      'components:\n  - ../components/cache\n  - ../components/database\n',
    );
    expect(file('deploy/k8s/base/kustomization.yaml', plain)).not.toContain('components');
  });

  it('config.env holds what has a default and is no secret', () => {
    expect(file('deploy/k8s/base/config.env').split('\n').slice(1)).toEqual(['PORT=8080', 'REDIS_URL=', '']);
  });

  it('.env.example and the configuration page name every setting, a secret without its value', () => {
    for (const name of ['PORT', 'REDIS_URL', 'DATABASE_URL']) {
      expect(file('.env.example')).toContain(`# ${name}=`);
      expect(file('docs/configuration.md')).toContain(`\`${name}\``);
    }
    expect(file('docs/configuration.md')).toMatch(/`DATABASE_URL` +\| url +\| secret /);
  });

  it('modules.md links the page of a module that has one', () => {
    expect(file('docs/modules.md')).toContain('[database](database.md)');
    expect(file('docs/modules.md', plain)).toContain('None beside the base yet.');
  });

  it('modules.md draws who calls the service, its modules, what they require, and their servers', () => {
    const [, picture] = file('docs/modules.md').split('```');
    expect(picture).toMatchInlineSnapshot(`
      "mermaid
      flowchart LR
        clients([clients]) --> http
        operators([kubelet, Prometheus]) --> admin
        subgraph server["cmd/server"]
          http
          cache
          database
          outbox
        end
        outbox --> database
        database --> database-server[(database)]
      "
    `);
  });

  it('package.json has scripts and dependencies sorted, versions from the catalogue', () => {
    const { scripts, dependencies } = JSON.parse(file('package.json'));
    expect(Object.keys(scripts)).toEqual(Object.keys(scripts).toSorted());
    expect(scripts.check).toBe('node --run build && node --run migrate:lint && node --run test');
    expect(dependencies).toEqual({ fastify: '^5.0.0', kysely: '^0.29.0', pg: '^8.0.0', redis: '^6.0.0' });
  });

  it('an npm script with exec replaces a POSIX shell, and runs without exec on Windows', () => {
    const scripts = { ...catalogue.base.scripts, start: 'exec node --print process.ppid' };
    const { start } = JSON.parse(
      file('package.json', plain, { ...catalogue, base: { ...catalogue.base, scripts } }),
    ).scripts;
    expect(Number(spawnSync('sh', ['-c', start]).stdout)).toBe(process.pid);
    const windows = start.replace("'win32'", `'${process.platform}'`);
    expect(spawnSync('sh', ['-c', windows.replace('exec', 'lost')], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it.each(['fastify', 'redis'])('package.json refuses the name of a package that the service needs: %s', (name) => {
    const service = addModules(newManifest({ name }, catalogue), ['cache'], catalogue);
    expect(() => file('package.json', service)).toThrow(`the service is called "${name}"`);
  });

  it('package.json names the package manager and its version, unless Node contains it', () => {
    const packageManagerOf = (packageManager: PackageManager): unknown =>
      JSON.parse(file('package.json', newManifest({ name: 'orders', packageManager }, catalogue))).packageManager;
    expect(packageManagers.map(packageManagerOf)).toEqual([undefined, 'pnpm@12.0.0', 'yarn@4.99.0', 'bun@1.99.0']);
  });

  it('a package manager has its own settings, and no other does', () => {
    const settings = ['pnpm-workspace.yaml', '.yarnrc.yml'];
    const settingsOf = (packageManager: PackageManager): string[] => {
      const files = render(newManifest({ name: 'orders', packageManager }, catalogue), catalogue);
      return settings.filter((name) => files.has(name));
    };
    expect(packageManagers.map(settingsOf)).toEqual([[], ['pnpm-workspace.yaml'], ['.yarnrc.yml'], []]);
    const pnpm = newManifest({ name: 'orders', packageManager: 'pnpm' }, catalogue);
    expect(file('pnpm-workspace.yaml', pnpm)).toContain('preferSymlinkedExecutables: true');
    const yarn = newManifest({ name: 'orders', packageManager: 'yarn' }, catalogue);
    expect(file('.yarnrc.yml', yarn)).toContain('nodeLinker: node-modules');
  });
});

describe('modules that disagree', () => {
  const withModule = (change: object): Catalogue =>
    tinyCatalogue({ modules: { ...catalogue.modules, rival: { ...module('rival', []), ...change } } });
  const both = (from: Catalogue) => () => render(addModules(plain, ['database', 'rival'], from), from);

  it.each([
    [
      'an npm script',
      { scripts: { migrate: 'other' } },
      'modules "database" and "rival" disagree on the npm script "migrate"',
    ],
    [
      'a wired name',
      { wiring: { database: 'internal/rival/module.ts' } },
      'modules "database" and "rival" disagree on the wired name "database"',
    ],
    [
      'a path',
      { files: [text('docs/database.md', '# mine\n')] },
      'modules "database" and "rival" both bring docs/database.md',
    ],
    ['a shared file', { files: [text('package.json', '{}\n')] }, 'both bring package.json'],
    [
      'a dependency without a version',
      { dependencies: ['nowhere'] },
      'module "rival" depends on "nowhere", which has no version',
    ],
  ])('on %s are named', (_, change, message) => {
    expect(both(withModule(change))).toThrow(message);
  });
});
