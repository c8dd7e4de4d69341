import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandNames, flagsOf, loadCommand } from '../../generators/commands.ts';
import { exitCodes } from '../../generators/engine/errors.ts';
import { newManifest } from '../../generators/engine/manifest.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { prepare } from '../../generators/engine/reconcile/prepare.ts';
import { withRequired } from '../../generators/engine/resolve.ts';
import manifest from '../../package.json' with { type: 'json' };
import { buildCatalogue } from '../../templates/build.ts';
import { faultsIn, type World } from '../helpers/documents.ts';
import { applyTo, serviceOf } from '../helpers/memoryService.ts';
import { offeredModules } from '../helpers/offeredModules.ts';

const root = path.resolve(import.meta.dirname, '../..');
const catalogue = await buildCatalogue();
const everything = serviceWorld(offeredModules);
const repository = repositoryWorld();
/** What a reader makes who follows CONTRIBUTING.md. */
const toy = ['templates/modules/greeting/', 'files/internal/platform/greeting/', 'files/docs/greeting.md', 'module.ts'];
const commands = new Map(await Promise.all(commandNames.map(async (name) => [name, await loadCommand(name)] as const)));
const readme = repository.read('README.md') ?? '';

function takersOf(flag: string): string[] {
  return [...commands].filter(([, command]) => flag in flagsOf(command)).map(([name]) => name);
}

/** A service in memory, as `new` lays it down. */
function serviceWorld(modules: readonly string[], platformTests = false): World {
  const resources = modules.length === 0 ? {} : catalogue.presets['default']?.resources;
  const ci = ['github', 'gitlab'] as const;
  const wanted = newManifest({ name: 'orders', modules, resources, ci, platformTests }, catalogue);
  const { changes } = prepare(serviceOf(new Map()), { catalogue, merge, edit: () => wanted });
  const tree = applyTo(new Map(), changes);
  const read = (file: string): string | undefined => new TextDecoder().decode(tree.get(file)?.bytes);
  return {
    files: [...tree.keys()],
    // What readers of the pages make, by hand and by a command.
    made: [
      ...ignoredIn(read('.gitignore')),
      ...['internal/quotes/', 'internal/parts/', 'docs/resources/', 'domain.ts', 'routes.ts', 'memory.ts'],
    ],
    scripts: scriptsIn(read('package.json')),
    read,
    flagsAreOurs: false,
  };
}

/** This repository; its documents speak of services, too. */
function repositoryWorld(): World {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root });
  const own = listed.toString().trim().split('\n');
  const ignored = ignoredIn(readFileSync(path.join(root, '.gitignore'), 'utf8'));
  const built = [...Object.values(manifest.bin), 'dist/catalogue.txt'];
  return {
    files: [
      ...own,
      ...own.flatMap(inModuleFolder),
      ...built,
      ...everything.files,
      ...serviceWorld(offeredModules, true).files,
    ],
    made: [...ignored.filter((name) => name !== 'dist/'), '.slipway/tx/', '.slipway/running.json'],
    scripts: new Set([...Object.keys(manifest.scripts), ...everything.scripts]),
    read: (file) => (own.includes(file) ? readFileSync(path.join(root, file), 'utf8') : everything.read(file)),
    flagsAreOurs: true,
  };
}

/** A template is also named from its module's folder, and without the ending that a template has. */
function inModuleFolder(file: string): string[] {
  const [, inside] = /^templates\/(?:base|modules\/[^/]+)\/(files\/.*?)(?:\.hbs)?$/.exec(file) ?? [];
  return inside === undefined ? [] : [inside];
}

function ignoredIn(text = ''): string[] {
  return text.split('\n').filter((line) => /^[^#*!]/.test(line));
}

function scriptsIn(text = '{}'): ReadonlySet<string> {
  return new Set(Object.keys(JSON.parse(text).scripts ?? {}));
}

function pagesOf({ files }: World): string[] {
  return files.filter((file) => file.endsWith('.md'));
}

describe('the documents of this repository', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...repository.files.filter((file) => /^docs\/.*\.md$/.test(file))];
  const own = pages.filter((page) => !everything.files.includes(page) || page === 'README.md');

  it.each(own)('%s names what is there', async (page) => {
    const made = page === 'CONTRIBUTING.md' ? [...repository.made, ...toy] : repository.made;
    expect(await faultsIn(page, repository.read(page) ?? '', { ...repository, made })).toEqual([]);
  });

  it('list every command as its help does, and no other', () => {
    const rows = [...readme.matchAll(/^\| `slipway ([^`]+)` +\|/gm)].map(([, usage]) => usage);
    expect(rows).toEqual([...commands].map(([name, { usage }]) => `${name} ${usage}`.trim()));
  });

  it('say of every flag which commands take it', () => {
    const rows = [...readme.matchAll(/^\| `--([a-z-]+)[^|]*\| ([^|]+?) +\|/gm)];
    const told = new Map(rows.map(([, flag = '', who = '']) => [flag, who]));
    const changing = takersOf('dry-run');
    expect(readme).toContain(`The commands that write are ${inProse(changing.map((name) => `\`${name}\``))}.`);
    const groups: Readonly<Record<string, string[]>> = { all: [...commandNames], 'commands that write': changing };
    for (const [flag, who] of told) {
      const names = who.split(', ').flatMap((part) => groups[part] ?? [part.replaceAll('`', '')]);
      const takers = takersOf(flag);
      expect([flag, names.toSorted()]).toEqual([flag, takers.toSorted()]);
    }
    const all = new Set([...commands.values()].flatMap((command) => Object.keys(flagsOf(command))));
    expect([...told.keys()].toSorted()).toEqual([...all].toSorted());
  });

  it('say of every command what it may do in a tree of a stranger', () => {
    const rows = [...(repository.read('docs/security.md') ?? '').matchAll(/^\| `([a-z]+)` /gm)].map(([, name]) => name);
    expect(rows).toHaveLength(commandNames.length);
    expect(new Set(rows)).toEqual(new Set(commandNames));
  });

  it('list every module and preset, and no other', () => {
    const section = readme.slice(readme.indexOf('## Modules and presets'), readme.indexOf('## Commands'));
    const rows = [...section.matchAll(/^\| `([a-z\d-]+)`/gm)].map(([, name]) => name);
    const all = [...offeredModules, ...Object.keys(catalogue.presets)];
    expect(rows).toHaveLength(all.length);
    expect(new Set(rows)).toEqual(new Set(all));
  });

  it('list every exit code', () => {
    const rows = [...readme.matchAll(/^\| (\d) +\|/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(exitCodes));
  });

  it('tell modules and presets in their own words', () => {
    const presets = Object.entries(catalogue.presets).map(([id, { summary }]) => ({ id, summary }));
    const known = [...Object.values(catalogue.modules), ...presets].map(({ id, summary }) => ({ id, summary }));
    const [, section = ''] = /^## Modules and presets$([^]*?)^## /m.exec(readme) ?? [];
    const told = [...section.matchAll(/^\| `([\w-]+)` +\| (.*?) *\|$/gm)];
    expect(told.length).toBeGreaterThan(0);
    for (const [, id, text] of told) expect(known).toContainEqual({ id, summary: text?.replaceAll('`', '') });
  });
});

describe.each([
  { of: 'no module', world: serviceWorld([]) },
  { of: 'the default preset', world: serviceWorld(catalogue.presets['default']?.modules ?? []) },
  // A page that names files of a host's folder is itself in that folder.
  ...offeredModules.map((id) => ({ of: id, world: serviceWorld(withRequired([id], catalogue)) })),
  { of: 'every module', world: everything },
])('the documents of a service with $of', ({ world }) => {
  it.each(pagesOf(world))('%s names what is there', async (page) => {
    expect(await faultsIn(page, world.read(page) ?? '', world)).toEqual([]);
  });
});

describe('a document that is wrong', () => {
  it.each([
    ['[more](docs/nowhere.md)', 'no page docs/nowhere.md'],
    ['[more](README.md#nowhere)', 'no heading README.md#nowhere'],
    ['see `generators/engine/nowhere.ts`', 'no path generators/engine/nowhere.ts'],
    ['see `generator/engine/`', 'no path generator/engine/'],
    ['see `templates/modules/<id>/nowhere.ts`', 'no path templates/modules/<id>/nowhere.ts'],
    ['see `nowhere.ts`', 'no path nowhere.ts'],
    ['```sh\nnpx vitest run test/nowhere\n```', 'no path test/nowhere'],
    ['run `npm run nowhere`', 'no npm script nowhere'],
    ['```sh\nnode --run nowhere\n```', 'no npm script nowhere'],
    ['run `slipway ad postgres`', 'slipway ad postgres: there is no command "ad"'],
    ['run `npm run slipway -- add postgres --jsn`', 'slipway -- add postgres --jsn: slipway add has no flag --jsn'],
    ['with `--nowhere`', 'no flag --nowhere'],
    [
      'run `npm create slipway@latest orders -- --yess`',
      'create slipway@latest orders -- --yess: slipway new has no flag --yess',
    ],
  ])('%j is found out', async (text, fault) => {
    expect(await faultsIn('README.md', text, repository)).toEqual([`README.md: ${fault}`]);
  });
});

function inProse(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
