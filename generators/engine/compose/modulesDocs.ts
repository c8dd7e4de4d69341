import type { CatalogueModule, Manifest, Trial } from '../model.ts';

import { packageManagerDefinitions } from '../packageManagers/index.ts';
import { contextsOf } from '../resources/context.ts';
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

/** Modules with a header for all requests come first. */
function tryIt({ manifest, modules }: ComposeInput): string[] {
  const parts = modules.flatMap(({ id, category, tryIt: trial }) => (trial ? [{ id, category, ...trial }] : []));
  if (parts.length === 0) return [];
  const first = parts.filter(({ header }) => header !== undefined);
  const resource = resourceWords(manifest);
  // Trials that name a resource are for a service that has one.
  const fits = ({ shell }: Trial): boolean => resource !== undefined || !/\{(?:path|kebab|snake)\}/.test(shell);
  const ordered = [...new Set([...first, ...parts])].map((part) => ({
    ...part,
    trials: part.trials?.filter(fits) ?? [],
  }));
  const manager = packageManagerDefinitions[manifest.packageManager];
  const headers = first.map(({ header }) => `-H "${header}" `).join('');
  const print = printer({
    ...resource,
    '{run}': manager.run,
    '{exec}': manager.exec,
    '{headers} ': headers,
    '{curl}': `curl -s ${headers}`.trimEnd(),
  });
  return [
    '## Try it',
    `Run \`${manager.name} start\`. Then paste these commands into another terminal, in the folder of the service, in this order.`,
    ...ordered.flatMap(({ id, category, trials }) =>
      trials.length === 0 ? [] : [`### ${category === 'base' ? 'The API' : id}`, ...trials.map(print)],
    ),
  ];
}

/** Returns the words of trials for the first resource whose example needs no other entity: its path, and the body of a request. */
function resourceWords({ resources = {} }: Manifest): Readonly<Record<string, string>> | undefined {
  const first = Object.keys(resources)
    .sort()
    .map((name) => contextsOf(name, resources).resource)
    .find(({ required }) => required.every(({ type }) => type !== 'ref'));
  if (first === undefined) return undefined;
  const body = Object.fromEntries(
    first.shown.flatMap(({ name, type, example }) => (type === 'ref' ? [] : [[name, example]])),
  );
  return {
    '{path}': `/${first.plural.kebab}`,
    '{kebab}': first.plural.kebab,
    '{snake}': first.plural.snake,
    '{Pascal}': first.pascal,
    '{Pascals}': first.plural.pascal,
    '{plural}': first.plural.words,
    '{one}': `${first.article} ${first.words}`,
    '{body}': quoted(body),
    '{faulty}': quoted({ ...body, unknown: 1 }),
  };
}

/** JSON in quotes of the shell, which a quote would end. */
function quoted(value: object): string {
  return JSON.stringify(value).replaceAll("'", String.raw`'\''`);
}

/** Replaces the words in braces of a trial. */
function printer(words: Readonly<Record<string, string>>): (trial: Trial) => string {
  const fill = (text: string): string =>
    text.replaceAll(
      /\{(?:run|exec|curl|path|body|faulty|plural|one|kebab|snake|Pascals?)\}|\{headers\} /g,
      (word) => words[word] ?? word,
    );
  return ({ shows, shell, prints }) =>
    [
      `${fill(shows)}:`,
      `\`\`\`sh\n${fill(shell)}\n\`\`\``,
      ...(prints === undefined ? [] : [`It prints \`${fill(prints)}\`.`]),
    ].join('\n\n');
}
