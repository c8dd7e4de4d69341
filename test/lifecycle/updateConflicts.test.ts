import { describe, expect, it } from 'vitest';
import { changed } from '../helpers/secondCatalogue.ts';
import { newService, type TestService } from './service.ts';

const listener = 'internal/platform/http/connections.ts';

/** Both sides have changed the same place. */
interface Clash {
  readonly edit: (service: TestService) => void;
  /** Where, once the update is done. */
  readonly place: string;
  /** The file afterwards, by how the conflict was settled: a part of its text, or undefined when it is not there. */
  readonly ours: RegExp | undefined;
  readonly theirs: RegExp | undefined;
  readonly markers: RegExp | undefined;
  /** What a user makes of the marked text; absent when nothing is marked. */
  readonly resolve?: (text: string) => string;
}

const conflict = /^<{7} .*\n([^]*?)(?:^\|{7} .*\n[^]*?)?^={7}\n([^]*?)^>{7} .*\n/gm;
const takeOurs = (text: string): string => text.replaceAll(conflict, '$1');
const takeTheirs = (text: string): string => text.replaceAll(conflict, '$2');

const clashes: Readonly<Record<string, Clash>> = {
  'a line that the template changes too': {
    edit: (service) => service.edit(listener, (text) => text.replace('sweepMs = 50', 'sweepMs = 75')),
    place: listener,
    ours: /^const sweepMs = 75;$/m,
    theirs: /^const sweepMs = 25;$/m,
    markers:
      /^<{7} yours\nconst sweepMs = 75;\n\|{7} base\nconst sweepMs = 50;\n={7}\nconst sweepMs = 25;\n>{7} slipway$/m,
    resolve: takeOurs,
  },
  'a file that the template drops': {
    edit: (service) => service.edit(changed.dropped, (text) => `${text}\n# mine\n`),
    place: changed.dropped,
    ours: /# mine/,
    theirs: undefined,
    markers: /# mine/,
  },
  'a file of the user’s own where the template now brings one': {
    edit: (service) => service.write(changed.new, 'export const mine = 1;\n'),
    place: changed.new,
    ours: /^export const mine = 1;\n$/,
    theirs: /^\/\*\* Of a reply\. \*\/\nexport const trailerHeader/,
    markers: /^<{7} yours\nexport const mine = 1;\n[^]*={7}\n[^]*trailerHeader[^]*>{7} slipway\n/,
    resolve: takeOurs,
  },
  'a file of the user’s own where the template’s renamed one goes': {
    edit: (service) => service.write(changed.renamed.to, 'export const mine = 1;\n'),
    place: changed.renamed.to,
    ours: /^export const mine = 1;\n$/,
    theirs: /^import type \{ Socket \} from 'node:net'/,
    markers: /^<{7} yours\nexport const mine = 1;\n[^]*={7}\n[^]*>{7} slipway\n/,
    resolve: takeOurs,
  },
  'a file that is now Slipway’s alone': {
    edit: (service) => service.write(changed.toManaged, '24.0.0\n'),
    place: changed.toManaged,
    ours: /^24\.0\.0\n$/,
    theirs: /^26\.99\.0\n$/,
    markers: /^<{7} yours\n24\.0\.0\n[^]*={7}\n26\.99\.0\n>{7} slipway\n$/,
    resolve: takeTheirs,
  },
  'an npm script of the name that the template now uses': {
    edit: (service) =>
      service.edit('package.json', (text) => text.replace('"scripts": {', '"scripts": {\n    "outdated": "mine",')),
    place: 'package.json',
    ours: /^ {4}"outdated": "mine",$/m,
    theirs: /^ {4}"outdated": "npm outdated",$/m,
    markers: /^<{7} yours\n {4}"outdated": "mine",\n[^]*={7}\n {4}"outdated": "npm outdated",\n>{7} slipway$/m,
    resolve: takeOurs,
  },
};

const modes = ['ours', 'theirs', 'markers'] as const;

describe.each(Object.keys(clashes))('a conflict over %s', (name) => {
  const clash = clashes[name];
  if (clash === undefined) throw new Error(`no clash ${name}`);
  const { edit, place, resolve } = clash;

  function clashing(): TestService {
    const service = newService('--preset=database');
    edit(service);
    return service;
  }

  it('stops the whole update: exit code 3, the place is named, nothing is written', () => {
    const service = clashing();
    const before = service.tree();
    const { exitCode, stdout, stderr } = service.second.run('update', '--no-install');
    expect(exitCode, stderr).toBe(3);
    expect(stdout).toMatch(new RegExp(`conflict +${place.replaceAll('.', '\\.')}`));
    expect(stdout).toContain('--conflict=ours, theirs or markers');
    expect(service.tree()).toEqual(before);
  });

  it.each(modes)('is settled by --conflict=%s, and the next update changes nothing', (mode) => {
    const service = clashing();
    const marked = mode === 'markers' && resolve !== undefined;
    const settled = service.second.run('update', '--no-install', `--conflict=${mode}`);
    expect(settled.exitCode, settled.stderr).toBe(marked ? 3 : 0);
    const expected = clash[mode];
    if (expected === undefined) expect(service.tree()).not.toHaveProperty([place]);
    else expect(service.read(place)).toMatch(expected);
    if (marked) resolveAll(service, resolve);
    const after = service.tree();
    const { exitCode, stdout, stderr } = service.second.run('update', '--no-install', `--conflict=${mode}`);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('Nothing to do');
    expect(service.tree()).toEqual(after);
  });
});

function resolveAll(service: TestService, resolve: (text: string) => string): void {
  const marked = Object.keys(service.tree()).filter(
    (path) => !path.startsWith('.slipway/') && /^<{7} yours$/m.test(service.read(path)),
  );
  expect(marked).not.toEqual([]);
  for (const path of marked) service.edit(path, resolve);
}
