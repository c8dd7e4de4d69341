import type { CatalogueModule } from '../../../generators/engine/model.ts';
import { encode } from '../../../generators/engine/text.ts';
import { render } from '../../../generators/engine/render.ts';
import { module as bareModule, text, tinyCatalogue } from '../../helpers/tinyCatalogue.ts';
import type { Subject } from './subject.ts';

/** Path below `files/` → text; undefined takes a file away. */
type Sources = Readonly<Record<string, string | undefined>>;

const sources: Sources = {
  'internal/platform/sample/module.ts': [
    "import { fastify } from 'fastify';",
    "import type { Pool } from 'pg';",
    "import { createClient } from 'redis';",
    "import { readFileSync } from 'node:fs';",
    '',
    'export const sample = { fastify, createClient, readFileSync, pool: {} as Pool };',
    '',
  ].join('\n'),
  'internal/platform/sample/module.test.ts': "import { it } from 'vitest';\n\nit('runs', () => {});\n",
  'internal/platform/sample/example.ts': 'export const example = 1;\n',
  'internal/platform/sample/metrics.ts': 'export const measured = 1;\n',
  'cmd/sample/main.ts': "await import('kysely');\n",
  'docs/sample.md.hbs': '# Sample of {{service.name}}\n\nA job sets `$\\{{ github.sha }}`.\n',
  'docs/runbooks/sample.md': '# Sample\n\n## Down\n\nAlert: `SampleDown`.\n',
  'deploy/observability/alerts/sample.yaml': [
    'groups:',
    '  - name: sample',
    '    rules:',
    '      - alert: SampleDown',
    '        expr: sample_up == 0',
    '        annotations:',
    "          summary: '{{ $labels.instance }} is down'",
    '          runbook_url: docs/runbooks/sample.md#down',
    '',
  ].join('\n'),
  'deploy/observability/dashboards/sample.json': '{ "title": "Sample", "panels": [{ "title": "up" }] }\n',
  'deploy/k8s/components/sample/kustomization.yaml':
    'kind: Component\nresources:\n  - service.yaml\npatches:\n  - path: patch.yaml\n',
  'deploy/k8s/components/sample/service.yaml': 'kind: Service\n',
  'deploy/k8s/components/sample/patch.yaml': 'kind: Deployment\n',
  'deploy/compose/sample.yaml.hbs': 'services:\n  sample:\n    image: sample:{{options.version}}\n',
};

const definition: Partial<CatalogueModule> = {
  summary: 'A module that keeps the contract',
  requires: ['database'],
  conflicts: ['memory'],
  options: { version: { type: 'string', summary: 'Version of the server', default: '2', enum: ['1', '2'] } },
  dependencies: ['redis'],
  devDependencies: ['vitest'],
  next: {
    added: ['callers get more; {run} sample shows it, and docs/sample.md says how'],
    removed: ['callers get less'],
  },
  scripts: { sample: 'node dist/cmd/sample/main.js', 'sample:check': 'node --run check' },
  wiring: { sample: 'internal/platform/sample/module.ts' },
  ownership: { seed: ['internal/platform/sample/example.ts'] },
  config: [
    {
      name: 'SAMPLE_URL',
      description: 'Where the sample is',
      expects: 'text',
      example: 'a',
      secret: false,
      required: false,
    },
  ],
};

/** A module that keeps the contract, but for what is changed in it. */
function sample(changes: Partial<CatalogueModule> = {}, files: Sources = {}): Subject {
  const all = Object.entries({ ...sources, ...files }).flatMap(([path, source]) =>
    source === undefined ? [] : [[path, source] as const],
  );
  const module: CatalogueModule = {
    ...bareModule(
      'sample',
      all
        .map(([path, source]) =>
          text(
            path.replace(/\.hbs$/, ''),
            source,
            definition.ownership?.seed?.includes(path) ? 'seed' : 'merged',
            path.endsWith('.hbs'),
          ),
        )
        .map((file) => (file.path.endsWith('.test.ts') ? { ...file, platformTest: true as const } : file)),
    ),
    ...definition,
    ...changes,
  };
  const tiny = tinyCatalogue();
  const versions = { ...tiny.versions, lost: '1.0.0', '@types/lost': '1.0.0', '@vitest/coverage-v8': '1.0.0' };
  const catalogue = { ...tiny, versions, modules: { ...tiny.modules, [module.id]: module } };
  return { module, folder: 'sample', catalogue, sources: new Map(all), render };
}

const one = sample().module;

/** The sample module. */
export const good: Subject = sample();

/** Clause → modules that break it, and no more than that. */
export const planted: Readonly<Record<string, readonly Subject[]>> = {
  'is called like its folder': [
    { ...good, folder: 'other' },
    { ...sample({ id: 'Sample' }), folder: 'Sample' },
  ],
  'has a summary of one short line without full stop': ['Ends.', 'Two\nlines', '', 'a'.repeat(90)].map((summary) =>
    sample({ summary }),
  ),
  'requires and excludes modules that there are, without contradiction': [
    sample({ requires: ['databse'] }),
    sample({ conflicts: ['nothing'] }),
    sample({ requires: ['sample'] }),
    sample({ requires: ['outbox'], conflicts: ['database'] }),
    circle(),
  ],
  'has checks that are scripts of its own': [
    sample({ checks: ['build'] }),
    sample({ scripts: { ...one.scripts, check: 'node --run build' } }),
  ],
  'says what follows in lines without full stop, with scripts and files that there are': [
    sample({ next: { added: ['Ends.'] } }),
    sample({ next: { removed: [''] } }),
    sample({ next: { added: ['start it with {run} smaple'] } }),
    sample({ next: { removed: ['edit internal/platform/smaple/module.ts'] } }),
  ],
  'has options with a summary and a default among their values': [
    sample({ options: { version: { type: 'string', summary: 'Version', default: '3', enum: ['1', '2'] } } }),
    sample({ options: { ...one.options, tls: { type: 'boolean', summary: 'Encrypts.', default: false } } }),
  ],
  'describes every setting, with an example': [
    setting({ description: '' }),
    setting({ description: 'With a full stop.' }),
    sample({
      config: [{ name: 'SAMPLE_URL', description: 'Where it is', expects: 'text', secret: false, required: false }],
    }),
  ],
  'names settings as environment variables that no other module reads': [
    setting({ name: 'sampleUrl' }),
    setting({ name: 'DATABASE_URL' }),
  ],
  'names dependencies that have a version': [
    sample({ dependencies: ['redis', 'unheard-of'] }),
    sample({ devDependencies: ['unheard-of'] }),
  ],
  'names no dependency that nothing uses': [
    sample({ dependencies: ['redis', 'lost'] }),
    sample({ dependencies: ['redis', 'vitest'] }),
    sample({ devDependencies: ['vitest', '@types/lost'] }),
    sample({ devDependencies: ['vitest', '@vitest/coverage-v8'] }),
  ],
  'names every package that its code imports': [
    sample({ dependencies: [] }),
    sample({ dependencies: [], devDependencies: ['redis'] }),
    sample({}, { 'internal/sample/more.ts': "export * from '@scope/lost/deep';\n" }),
    sample({}, { 'internal/sample/more.test.ts': "const lost = await import('lost');\n" }),
  ],
  'has scripts whose programs there are': [
    sample({ scripts: { sample: 'node dist/cmd/lost/main.js' } }),
    sample({ scripts: { sample: 'node scripts/lost.ts' } }),
    sample({ scripts: { sample: 'node node_modules/lost/lost.mjs' } }),
    sample({ scripts: { sample: 'tsc --project tsconfig.lost.json' } }),
    sample({ scripts: { sample: 'node --run lost' } }),
  ],
  'has scripts that cmd.exe runs, as a POSIX shell does': [
    "node --eval 'process.exit()'",
    'NODE_ENV=production node dist/cmd/sample/main.js',
    'node --run check; node --run check',
    'node --run check & node --run check',
    'node $PWD',
    'node %CD%',
    'node dist/*.js',
    'node `pwd`',
    'rm -rf dist',
    './scripts/check.sh',
    'node --run check && exec node dist/cmd/sample/main.js',
    'node --run check > /dev/null',
  ].map((command) => sample({ scripts: { sample: command } })),
  'imports in a service no test that stays at Slipway': [
    sample({}, { 'internal/platform/sample/more.ts': "export { sample } from './module.test.ts';\n" }),
  ],
  'wires what its files export': [
    sample({ wiring: { sampled: 'internal/platform/sample/module.ts' } }),
    sample({ wiring: { sample: 'internal/sample/lost.ts' } }),
  ],
  'says of files that there are who owns them': [
    sample({ ownership: { seed: ['internal/lost.ts'] } }),
    sample({ ownership: { managed: ['internal/lost/'] } }),
  ],
  'says of renamed files where they are now': [
    sample({ renamed: { 'internal/sample/old.ts': 'internal/sample/lost.ts' } }),
    sample({ renamed: { 'internal/platform/sample/module.ts': 'cmd/sample/main.ts' } }),
  ],
  'has a page in docs': [sample({}, { 'docs/sample.md.hbs': undefined })],
  'has paths that every system can store': ['aux.ts', 'what?.ts', 'dot./a.ts'].map((name) =>
    sample({}, { [`internal/sample/${name}`]: '' }),
  ),
  'has YAML and JSON that parse': [
    sample({}, { 'deploy/k8s/components/sample/service.yaml': 'kind: [\n' }),
    sample({}, { 'deploy/observability/dashboards/sample.json': '{ "title": \n' }),
  ],
  'has a runbook for every alert': [
    sample({}, { 'docs/runbooks/sample.md': undefined }),
    sample({}, { 'deploy/observability/alerts/sample.yaml': 'groups: []\n' }),
    sample({}, { 'deploy/observability/alerts/more.yaml': 'groups:\n  - rules:\n      - alert: Lost\n' }),
  ],
  'watches what it measures by alerts and a dashboard': [
    sample({}, { 'deploy/observability/alerts/sample.yaml': undefined }),
    sample({}, { 'deploy/observability/dashboards/sample.json': undefined }),
  ],
  'has dashboards with panels': [
    sample({}, { 'deploy/observability/dashboards/sample.json': '{ "title": "Sample", "panels": [] }\n' }),
  ],
  'has Kubernetes components that are complete': [
    sample({}, { 'deploy/k8s/components/sample/kustomization.yaml': undefined }),
    sample({}, { 'deploy/k8s/components/sample/patch.yaml': undefined }),
    sample({}, { 'deploy/k8s/components/sample/kustomization.yaml': 'kind: Kustomization\n' }),
  ],
  'has Compose fragments with services': [sample({}, { 'deploy/compose/sample.yaml.hbs': 'volumes: {}\n' })],
  'has seeds that no other module and no option of another changes': [
    // No template can do this: a renderer that let it would break law 2.
    { ...good, render: (...input) => revealing(input, Object.keys(input[0].modules).join(' ')) },
    { ...good, render: (...input) => revealing(input, String(input[0].modules['cache'] !== undefined)) },
  ],
  'names no registry and no folder of a machine': [
    sample({}, { '.npmrc': 'registry=https://packages.example.com/\n' }),
    sample({}, { 'docs/more.md': `See ${['', 'home', 'somebody', 'service'].join('/')}.\n` }),
  ],
  'keeps the expressions of GitHub Actions and Prometheus': [
    sample({}, { 'docs/sample.md.hbs': 'Before {{!-- {{ $labels.instance }} --}} after.\n' }),
    { ...good, sources: new Map([...good.sources, ['docs/runbooks/sample.md', '${{ github.sha }}']]) },
  ],
  'has files that end with a line end, and lines that do not end with spaces': [
    sample({}, { 'docs/runbooks/sample.md': '# SampleDown' }),
    sample({}, { 'docs/runbooks/sample.md': '# SampleDown\n\n' }),
    sample({}, { 'docs/runbooks/sample.md': '# SampleDown \n' }),
    sample({}, { 'docs/runbooks/sample.md': '# SampleDown\r\n' }),
  ],
  'leaves nothing of a template in a file': [
    sample({}, { 'docs/sample.md.hbs': '\\{{service.name}}\n' }),
    sample({}, { 'docs/sample.md.hbs': '{{options}}\n' }),
  ],
};

/** Two modules that require each other. */
function circle(): Subject {
  const subject = sample({ requires: ['outbox'] });
  const { outbox } = subject.catalogue.modules;
  if (outbox === undefined) throw new Error('the tiny catalogue has no outbox');
  const modules = { ...subject.catalogue.modules, outbox: { ...outbox, requires: ['sample'] } };
  return { ...subject, catalogue: { ...subject.catalogue, modules } };
}

function setting(change: Partial<CatalogueModule['config'][number]>): Subject {
  return sample({ config: one.config.map((variable) => ({ ...variable, ...change })) });
}

/** Renders, with a text in the sample's seed. */
function revealing(input: Parameters<typeof render>, secret: string): ReturnType<typeof render> {
  const files = new Map(render(...input));
  const seed = files.get('internal/platform/sample/example.ts');
  if (seed !== undefined) files.set('internal/platform/sample/example.ts', { ...seed, bytes: encode(secret) });
  return files;
}
