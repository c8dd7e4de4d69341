import type { CatalogueModule, ExampleSlice, Trial } from '../model.ts';
import type { PackageManagerDefinition } from '../packageManagers/definition.ts';
import { packageManagerDefinitions } from '../packageManagers/index.ts';
import type { ComposeInput, Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';

/** `docs/modules.md`: the modules of this service, a diagram of them, and commands to try them. */
export const composeModulesDocs: Composer = (input) => {
  const { paths } = input;
  // Parts are details of the modules that require them.
  const modules = input.modules.filter(({ part }) => !part);
  const rows = modules
    .filter((module) => module.category !== 'base')
    .map((module) => {
      const page = `docs/${module.id}.md`;
      const scripts = Object.keys(module.scripts ?? {}).map((name) => `\`${name}\``);
      return [
        paths.includes(page) ? `[${module.id}](${module.id}.md)` : module.id,
        module.category,
        module.summary,
        scripts.join(' '),
      ];
    });
  const text = [
    '# Modules',
    rows.length === 0
      ? 'None beside the base yet.'
      : markdownTable(['module', 'category', 'what it gives', 'npm scripts'], rows),
    ['```mermaid', ...picture(modules), '```'].join('\n'),
    ...tryIt(input),
    // The last section never changes, so that text of the owner after it is no conflict.
    '## Change the modules',
    'Add one with `slipway add <module>`, remove one with `slipway remove <module>`. `slipway list` shows all modules.',
  ].join('\n\n');
  return [['docs/modules.md', { text: `${text}\n`, ownership: 'merged' }]];
};

/** A Mermaid flowchart: the clients of the service, its processes, their modules, and the servers that the modules need. */
function picture(modules: readonly CatalogueModule[]): string[] {
  const shown = new Set(modules.map(({ id }) => id));
  return [
    'flowchart LR',
    '  clients([clients]) --> http',
    '  operators([kubelet, Prometheus]) --> admin',
    '  subgraph server["cmd/server"]',
    ...modules.flatMap(({ wiring }) => Object.keys(wiring ?? {}).map((name) => `    ${name}`)),
    '  end',
    ...modules.flatMap(({ id, requires = [] }) =>
      requires.flatMap((required) => (shown.has(required) ? `  ${id} --> ${required}` : [])),
    ),
    ...modules.flatMap(servers),
  ];
}

/** Returns the servers that a module connects to: those that its tests need. The processes of the module connect to them, too. */
function servers({ id, ci, files }: CatalogueModule): string[] {
  const names = Object.values(ci?.additions ?? {}).flatMap(({ services }) => Object.keys(services ?? {}));
  const processes = files.flatMap(({ path }) => /^cmd\/([^/]+)\/main\.ts$/.exec(path)?.[1] ?? []);
  return [...new Set(names)].flatMap((name) => [
    `  ${id} --> ${name}-server[(${name})]`,
    ...processes.map((process) => `  ${process}["cmd/${process}"] --> ${name}-server`),
  ]);
}

/** Modules with a header for all requests come first. Examples that the user must list come last. */
function tryIt({ manifest, modules }: ComposeInput): string[] {
  const parts = modules.flatMap(({ id, category, tryIt: trial }) => (trial ? [{ id, category, ...trial }] : []));
  if (parts.length === 0) return [];
  const first = parts.filter(({ header }) => header !== undefined);
  const ordered = [...new Set([...first, ...parts])];
  const examples = ordered.flatMap(({ example }) => example ?? []);
  const manager = packageManagerDefinitions[manifest.packageManager];
  const print = printer(
    manager,
    first.map(({ header }) => `-H "${header}" `),
  );
  const openapi = modules.some(({ scripts }) => scripts?.['openapi']) ? `run \`${manager.run} openapi\`, ` : '';
  return [
    '## Try it',
    `Run \`${manager.name} start\`. Then paste these commands into another terminal, in the folder of the service, in this order.`,
    ...ordered.flatMap(({ id, category, trials = [] }) =>
      trials.length === 0 ? [] : [`### ${category === 'base' ? 'The example' : id}`, ...trials.map(print)],
    ),
    ...(examples.length === 0 ? [] : listing(examples, openapi)),
    ...examples.flatMap(({ trials }) => trials.map(print)),
  ];
}

function printer({ run, exec }: PackageManagerDefinition, headers: readonly string[]): (trial: Trial) => string {
  const words: Readonly<Record<string, string>> = {
    '{run}': run,
    '{exec}': exec,
    '{headers} ': headers.join(''),
    '{curl}': `curl -s ${headers.join('')}`.trimEnd(),
  };
  return ({ shows, shell, prints }) =>
    [
      `${shows}:`,
      `\`\`\`sh\n${shell.replaceAll(/\{(?:run|exec|curl)\}|\{headers\} /g, (word) => words[word] ?? word)}\n\`\`\``,
      ...(prints === undefined ? [] : [`It prints \`${prints}\`.`]),
    ].join('\n\n');
}

function listing(examples: readonly ExampleSlice[], openapi: string): string[] {
  const imports = examples
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .map(({ name, file }) => `import { ${name} } from '../../${file}';`);
  const list = `await run([${['...modules', '...resources', 'items', ...examples.map(({ name }) => name)].join(', ')}]);`;
  return [
    '### More examples',
    `The service contains these examples but does not serve them. List them in \`cmd/server/main.ts\`, ${openapi}and start the service again:`,
    `\`\`\`ts\n${imports.join('\n')}\n\n${list}\n\`\`\``,
  ];
}
