import { describe, expect, it } from 'vitest';
import { lostImports, moveFolder } from '../helpers/moveFolder.ts';
import { releases, serviceOf } from './release.ts';
import { catalogue } from './service.ts';

/** How a user adds a line of their own to a file of each kind; undefined where the format has no comments. */
function withOwnLine(file: string, text: string): string | undefined {
  if (file.endsWith('.ts')) return `${text}\n// Mine: ${file}\n`;
  if (/\.(ya?ml|sh)$|Dockerfile$|ignore$|\.editorconfig$/.test(file)) return `${text}# Mine: ${file}\n`;
  if (file.endsWith('.md')) return `${text}\nMine: ${file}\n`;
  return undefined;
}

describe.each(releases)('a service of %s', (release) => {
  it('that was edited in every file is updated, and no edit is lost', () => {
    const { service } = serviceOf(release, '--preset=database', '--ci=github,gitlab');
    const edited = Object.entries(service.lock().files).flatMap(([file, { ownership }]) => {
      const text = ownership === 'merged' || ownership === 'seed' ? withOwnLine(file, service.read(file)) : undefined;
      if (text === undefined) return [];
      service.write(file, text);
      return [file];
    });
    expect(edited.length).toBeGreaterThan(200);
    service.must('update', '--conflict=ours');
    // What every service had then is a module now: nothing of it goes.
    expect(service.manifest()['modules']).toMatchObject(
      Object.fromEntries((catalogue.presets['default']?.modules ?? []).map((id) => [id, {}])),
    );
    expect(service.manifest()['modules']).toHaveProperty('cors');
    expect(service.tree()).toHaveProperty(['deploy/k8s/base/deployment.yaml']);
    const all = Object.values(service.tree()).join('\n');
    expect(edited.filter((file) => !all.includes(`Mine: ${file}\n`))).toEqual([]);
    expect(service.must('check')).toContain('No drift');
    expect(service.must('update')).toContain('Nothing to do');
  });

  it('keeps files of the user beside ours together with them, and all imports find their files', () => {
    const { service, former } = serviceOf(release, '--preset=database');
    const migration = 'export async function up(): Promise<void> {}\n';
    service.write('internal/postgres/migrations/20261201_mine.ts', migration);
    service.write(
      'internal/http/mine.ts',
      "import { notFound } from '../../pkg/errors/index.ts';\nexport { config } from './config.ts';\n\nexport const lost = notFound;\n",
    );
    service.write(
      'internal/mine/module.ts',
      "import { http } from '../http/module.ts';\n\nexport const mine = [http];\n",
    );
    service.edit(
      'internal/http/module.ts',
      (text) => `import { mine } from '../mine/module.ts';\n${text}\nexport const also = mine;\n`,
    );
    service.edit(
      'cmd/server/main.ts',
      (text) => `import { mine } from '../../internal/mine/module.ts';\n${text}\nvoid mine;\n`,
    );
    former('eject', 'internal/http/admission.ts');
    service.move('internal/log/sampler.ts', 'internal/clock/sampler.ts');
    service.edit('internal/clock/sampler.ts', (text) => text.replace('counts.clear();', 'counts.clear(); // Mine.'));
    const policy = { 'internal/http/**': 'ours', '**/*.md': 'theirs' };
    service.edit('slipway.json', (text) => JSON.stringify({ ...JSON.parse(text), conflicts: policy }));
    service.must('update', '--conflict=ours');

    expect(service.read('internal/migrations/20261201_mine.ts')).toContain(migration);
    expect(service.read('internal/platform/http/mine.ts')).toContain("'../../../pkg/errors/index.ts'");
    expect(service.read('internal/platform/http/mine.ts')).toContain("'./config.ts'");
    expect(service.read('internal/mine/module.ts')).toContain("'../platform/http/module.ts'");
    expect(service.read('internal/platform/http/module.ts')).toContain("'../../mine/module.ts'");
    expect(service.read('cmd/server/main.ts')).toContain("'../../internal/platform/app/run.ts'");
    expect(service.manifest()['ejected']).toEqual(['internal/platform/http/admission.ts']);
    expect(Object.entries(service.manifest()['conflicts'] ?? {})).toEqual([
      ['internal/platform/http/**', 'ours'],
      ['**/*.md', 'theirs'],
    ]);
    expect(service.tree()).not.toHaveProperty(['internal/http/admission.ts']);
    // What was moved and edited is part of another file now, and so is the edit.
    expect(service.read('internal/platform/log/logger.ts')).toContain('counts.clear(); // Mine.');
    expect(service.tree()).not.toHaveProperty(['internal/clock/sampler.ts']);
    expect(service.must('check')).toContain('No drift');
  });

  it('with module http2 has the three that it became, and files of its user move along', () => {
    const { service, former } = serviceOf(release);
    former('add', 'http2');
    service.write(
      'internal/http2/mine.ts',
      "import { sendInPieces } from './pieces.ts';\nexport { serveFiles } from '../static/files.ts';\nexport const mine = sendInPieces;\n",
    );
    service.edit('internal/http2/door.ts', (text) => text.replace("'node:http';", "'node:http'; // Mine."));
    service.edit('docs/http2.md', (text) => text.replace('## TLS\n', '## TLS\n\nMine.\n'));
    service.must('update');

    expect(service.manifest()['modules']).toMatchObject({ cluster: {}, static: {}, tls: {} });
    expect(service.manifest()['modules']).not.toHaveProperty('http2');
    expect(service.read('internal/platform/tls/mine.ts')).toContain("'../static/files.ts'");
    expect(service.read('internal/platform/tls/mine.ts')).toContain("'./server.ts'");
    expect(service.read('internal/platform/tls/door.ts')).toContain('// Mine.');
    expect(service.read('docs/tls.md')).toContain('Mine.');
    const tree = Object.keys(service.tree());
    expect(tree).toEqual(
      expect.arrayContaining([
        'cmd/cluster/main.ts',
        'deploy/k8s/components/tls/kustomization.yaml',
        'internal/platform/static/files.ts',
        'scripts/publicFiles.ts',
      ]),
    );
    expect(tree.filter((file) => file.startsWith('internal/http2/') || file === 'docs/http2.md')).toEqual([]);
    expect(service.must('check')).toContain('No drift');
  });

  it('in which a folder of the platform was renamed, with its imports, is updated in the new folder', () => {
    const { service } = serviceOf(release, '--preset=database');
    moveFolder(service, 'internal/log', 'internal/logging');
    service.must('update');
    expect(lostImports(service)).toEqual([]);
    const files = Object.keys(service.tree());
    expect(files.filter((file) => /^internal\/(platform\/)?log\//.test(file))).toEqual([]);
    expect(files).toContain('internal/logging/logger.ts');
    // A migration that has run stays known to the platform.
    expect(files).toContain('internal/migrations/20261121_accounts.ts');
    expect(service.must('check')).toContain('No drift');
  });

  it('whose example was deleted is updated without it', () => {
    const { service } = serviceOf(release);
    for (const file of Object.keys(service.tree())) if (file.startsWith('internal/items/')) service.remove(file);
    service.edit('cmd/server/main.ts', (text) => text.replace(/^.*items\/module.*\n/m, '').replace(', items]', ']'));
    service.must('update', '--conflict=ours');
    expect(Object.keys(service.tree()).filter((file) => file.startsWith('internal/items/'))).toEqual([]);
    expect(service.must('check')).toContain('No drift');
  });
});
