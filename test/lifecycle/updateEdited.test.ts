import { describe, expect, it } from 'vitest';
import { changed } from '../helpers/secondCatalogue.ts';
import { newService, second, type TestService } from './service.ts';

const admission = 'internal/platform/http/admission.ts';
const listener = 'internal/platform/http/connections.ts';
const requests = 'internal/platform/http/requests.ts';
const lines = 'internal/platform/http/log/all/lines.ts';
const mine = '\n/** Mine. */\nexport const mine = 1;\n';

/** What a user has done to a service, and what an update makes of it. */
interface Case {
  readonly edit: (service: TestService) => void;
  readonly expected: (service: TestService) => void;
  /** What the plan says. */
  readonly told?: RegExp;
}

const cases: Readonly<Record<string, Case>> = {
  'a line inserted in a file that the template changes elsewhere': {
    edit: (service) => service.edit(listener, (text) => text + mine),
    expected: (service) => {
      expect(service.read(listener)).toContain('sweepMs = 25');
      expect(service.read(listener)).toContain(mine);
    },
  },
  'a line inserted in a file that the template renames': {
    edit: (service) => service.edit(changed.renamed.from, (text) => text + mine),
    expected: (service) => {
      expect(service.read(changed.renamed.to)).toContain(mine);
      expect(service.tree()).not.toHaveProperty([changed.renamed.from]);
    },
  },
  'a file moved, with other import lines in it and in its importer': {
    edit: (service) => {
      service.move(requests, lines);
      service.edit(lines, (text) => text.replace("'../metrics/", "'../../../metrics/") + mine);
      service.edit('internal/platform/http/server.ts', (text) =>
        text.replace("'./requests.ts'", "'./log/all/lines.ts'"),
      );
    },
    expected: (service) => {
      const text = service.read(lines);
      expect(text).toContain("'request was broken off'");
      expect(text).toContain("'../../../metrics/module.ts'");
      expect(text).toContain(mine);
      expect(service.tree()).not.toHaveProperty([requests]);
      expect(service.read('internal/platform/http/server.ts')).toContain("'./log/all/lines.ts'");
      expect(service.lock().files[requests]).toMatchObject({ at: lines });
    },
  },
  'CRLF line ends in all that is not the user’s alone': {
    edit: (service) => {
      for (const [path, { ownership }] of Object.entries(service.lock().files)) {
        if (ownership !== 'seed') service.write(path, service.read(path).replaceAll('\n', '\r\n'));
      }
    },
    expected: (service) => {
      expect(service.read(listener)).toMatch(/sweepMs = 25;\r\n/);
      const mixed = Object.entries(service.lock().files)
        .filter(([path, { ownership }]) => ownership !== 'seed' && path !== changed.new && path !== changed.toMerged)
        .filter(([path]) => /(?<!\r)\n/.test(service.read(path)));
      expect(mixed).toEqual([]);
    },
  },
  'tabs in place of spaces': {
    edit: (service) => {
      service.edit(listener, (text) => text.replaceAll('  ', '\t'));
      service.edit('package.json', (text) => JSON.stringify(JSON.parse(text), null, '\t'));
    },
    expected: (service) => {
      expect(service.read(listener)).toMatch(/\n\tserver\.listen[^]*sweepMs = 25;/);
      expect(service.read('package.json')).toMatch(/^\t\t"outdated": "npm outdated",$/m);
      expect(service.read('package.json')).not.toMatch(/^ /m);
    },
  },
  'files deleted that the template changes, renames and drops: they stay deleted': {
    edit: (service) => {
      service.remove(admission);
      service.remove(changed.renamed.from);
      service.remove('internal/items/routes.ts');
      service.remove('internal/items/routes.test.ts');
      service.remove(changed.dropped);
    },
    expected: (service) => {
      for (const path of [
        admission,
        changed.renamed.from,
        changed.renamed.to,
        'internal/items/routes.ts',
        changed.dropped,
      ]) {
        expect(service.tree()).not.toHaveProperty([path]);
      }
    },
  },
  'a package.json with scripts, versions and keys of the user': {
    edit: (service) =>
      service.edit('package.json', (text) => {
        const { name, dependencies, scripts, ...rest } = JSON.parse(text);
        const value = {
          author: 'the team',
          name,
          ...rest,
          dependencies: { 'left-pad': '^1.3.0', ...dependencies, fastify: '~5.98.0', kysely: '^9.0.0', pg: '*' },
          scripts: { release: 'node scripts/release.ts', ...scripts, dev: 'node --watch cmd/server/main.ts' },
          browserslist: ['defaults'],
        };
        delete value.scripts.smoke;
        return `${JSON.stringify(value, null, 4)}\n`;
      }),
    expected: (service) => {
      const text = service.read('package.json');
      const value = JSON.parse(text);
      expect(Object.keys(value).at(0)).toBe('author');
      expect(Object.keys(value).at(-1)).toBe('browserslist');
      // The floor of fastify is raised, and the kind of range stays; what is newer, or says any version, stays.
      expect(value.dependencies).toMatchObject({ 'left-pad': '^1.3.0', fastify: '~5.99.0', kysely: '^9.0.0', pg: '*' });
      expect(value.scripts).toMatchObject({
        release: 'node scripts/release.ts',
        dev: 'node --watch cmd/server/main.ts',
        outdated: 'npm outdated',
      });
      expect(value.scripts).not.toHaveProperty('smoke');
      expect(value.scripts.slipway).toContain(`create-slipway@${second.version} `);
      expect(text).toMatch(/^ {4}"author"/m);
    },
  },
  'files whose ownership has changed': {
    edit: (service) => {
      service.edit(changed.toSeed, (text) => `// Mine.\n${text}`);
      service.edit(changed.toMerged, (text) => `${text}\nMine.\n`);
    },
    expected: (service) => {
      expect(service.read(changed.toSeed)).toMatch(/^\/\/ Mine\.\n/);
      expect(service.read(changed.toMerged)).toMatch(/\nMine\.\n$/);
      expect(service.lock().files).toMatchObject({
        [changed.toSeed]: { ownership: 'seed' },
        [changed.toManaged]: { ownership: 'managed' },
        [changed.toMerged]: { ownership: 'merged' },
      });
    },
  },
  'an edited seed that the template drops: it is the user’s': {
    edit: (service) => service.edit(changed.droppedSeed, (text) => `${text}\nMine.\n`),
    expected: (service) => {
      expect(service.read(changed.droppedSeed)).toMatch(/\nMine\.\n$/);
      expect(service.lock().files).not.toHaveProperty([changed.droppedSeed]);
    },
    told: /keep +README\.md +the template has dropped it; it is yours/,
  },
  'a file of the user’s own that is what the template now brings': {
    edit: (service) => service.write(changed.new, "/** Of a reply. */\nexport const trailerHeader = 'trailer';\n"),
    expected: (service) => expect(service.lock().files[changed.new]).toMatchObject({ adopted: true }),
  },
  'an ejected file that the template changes': {
    edit: (service) => {
      service.must('eject', listener);
      service.edit(listener, (text) => text + mine);
    },
    expected: (service) => {
      expect(service.read(listener)).toContain('sweepMs = 50');
      expect(service.read(listener)).toContain(mine);
      expect(service.lock().files).not.toHaveProperty([listener]);
    },
  },
  'an ejected file that the template renames: the user is told of the new one': {
    edit: (service) => service.must('eject', changed.renamed.from),
    expected: (service) => {
      expect(service.tree()).toHaveProperty([changed.renamed.from]);
      expect(service.tree()).toHaveProperty([changed.renamed.to]);
    },
    told: /create +internal\/platform\/http\/description\/problems\.ts +you have ejected it as internal\/platform\/http\/problems\.ts/,
  },
};

describe('an update over', () => {
  it.each(Object.keys(cases))('%s', (name) => {
    const service = newService('--preset=database');
    cases[name]?.edit(service);
    const own = linesOf(service);
    expect(service.second.must('update')).toMatch(cases[name]?.told ?? 'Done');
    cases[name]?.expected(service);
    expect(linesOf(service)).toEqual(own);
    const after = service.tree();
    expect(service.second.must('check')).toContain('No drift');
    expect(service.second.must('update')).toContain('Nothing to do');
    expect(service.tree()).toEqual(after);
    // And it can still be worked with.
    service.second.must('ci', '--provider=github,gitlab');
    service.second.must('ci', '--provider=github');
    expect(service.tree()).toEqual(after);
  });
});

/** How often the user's mark stands in the service. */
function linesOf(service: TestService): number {
  return Object.entries(service.tree())
    .filter(([path]) => !path.startsWith('.slipway/'))
    .reduce((sum, [, text]) => sum + text.split(/\bmine\b/i).length - 1, 0);
}
