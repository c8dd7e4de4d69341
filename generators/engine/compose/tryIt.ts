import type { Trial } from '../module.ts';
import { packageManagerCommands } from '../template.ts';
import type { Composer } from './composer.ts';

/**
 * `docs/try.md`: what the modules of this service do, to be pasted. What sets up something for the requests of all comes first:
 * the base may come with any modules.
 */
export const composeTryIt: Composer = ({ manifest, modules }) => {
  const parts = modules.filter(({ tryIt }) => tryIt !== undefined);
  const first = parts.filter(({ tryIt }) => tryIt?.curl !== undefined);
  const ordered = new Set([...first, ...parts]);
  const { name, run, exec } = packageManagerCommands[manifest.packageManager];
  const curl = ['curl -s', ...first.map(({ tryIt }) => tryIt?.curl)].join(' ');
  const words: Readonly<Record<string, string>> = { run, exec, curl };
  const print = ({ shows, shell, prints }: Trial): string =>
    [
      `${shows}:`,
      `\`\`\`sh\n${shell.replaceAll(/\{(run|exec|curl)\}/g, (_, word: string) => words[word] ?? word)}\n\`\`\``,
      ...(prints === undefined ? [] : [`It prints \`${prints}\`.`]),
    ].join('\n\n');
  const text = [
    '# Try it',
    `\`${name} start\`, then paste these into another terminal, from the service's folder, in this order.`,
    ...[...ordered].flatMap(({ id, category, tryIt }) => [
      `## ${category === 'base' ? 'The example' : id}`,
      ...(tryIt?.trials ?? []).map(print),
    ]),
  ];
  return [['docs/try.md', { text: `${text.join('\n\n')}\n`, ownership: 'merged' }]];
};
