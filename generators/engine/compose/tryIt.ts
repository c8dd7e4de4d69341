import type { ExampleSlice, Trial } from '../model.ts';
import { packageManagerCommands } from '../template.ts';
import type { Composer } from './composer.ts';

/**
 * `docs/try.md`: what the modules of this service do, to be pasted. What sets up something for the requests of all comes first:
 * the base may come with any modules. What has to be listed before it is served comes last.
 */
export const composeTryIt: Composer = ({ manifest, modules }) => {
  const parts = modules.flatMap(({ id, category, tryIt }) => (tryIt ? [{ id, category, ...tryIt }] : []));
  const first = parts.filter(({ header }) => header !== undefined);
  const ordered = [...new Set([...first, ...parts])];
  const { name, run, exec } = packageManagerCommands[manifest.packageManager];
  const headers = first.map(({ header }) => `-H "${header}" `).join('');
  const words: Readonly<Record<string, string>> = {
    '{run}': run,
    '{exec}': exec,
    '{headers} ': headers,
    '{curl}': `curl -s ${headers}`.trimEnd(),
  };
  const print = ({ shows, shell, prints }: Trial): string =>
    [
      `${shows}:`,
      `\`\`\`sh\n${shell.replaceAll(/\{(?:run|exec|curl)\}|\{headers\} /g, (word) => words[word] ?? word)}\n\`\`\``,
      ...(prints === undefined ? [] : [`It prints \`${prints}\`.`]),
    ].join('\n\n');
  const examples = ordered.flatMap(({ example }) => example ?? []);
  const text = [
    '# Try it',
    `\`${name} start\`, then paste these into another terminal, from the service's folder, in this order.`,
    ...ordered.flatMap(({ id, category, trials = [] }) =>
      trials.length === 0 ? [] : [`## ${category === 'base' ? 'The example' : id}`, ...trials.map(print)],
    ),
    ...(examples.length === 0
      ? []
      : listing(examples, modules.some(({ scripts }) => scripts?.['openapi']) ? `run \`${run} openapi\`, ` : '')),
    ...examples.flatMap(({ trials }) => trials.map(print)),
  ];
  return [['docs/try.md', { text: `${text.join('\n\n')}\n`, ownership: 'merged' }]];
};

function listing(examples: readonly ExampleSlice[], openapi: string): string[] {
  const imports = examples
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .map(({ name, file }) => `import { ${name} } from '../../${file}';`);
  const list = `await run([${['...modules', 'items', ...examples.map(({ name }) => name)].join(', ')}]);`;
  return [
    '## More examples',
    `They are there, and are not served until \`cmd/server/main.ts\` lists them. Do that, ${openapi}and start the service again:`,
    `\`\`\`ts\n${imports.join('\n')}\n\n${list}\n\`\`\``,
  ];
}
