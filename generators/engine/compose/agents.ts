import { packageManagerCommands } from '../template.ts';
import type { Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';

const layout = [
  ['`internal/<slice>/`', 'the domain of this service, one folder for each slice: write here'],
  ['`internal/platform/`', 'what Slipway brings; read it to use it, change it only when you must'],
  ['`cmd/<process>/main.ts`', 'joins the platform and the slices: list a new slice in `cmd/server/main.ts`'],
  ['`pkg/`', 'code that other services may import; it imports neither `internal/` nor `cmd/`'],
  ['`docs/`', 'architecture, settings (`docs/configuration.md`), one page for each module'],
  ['`slipway.json`', 'the desired state: modules and options; change it with `slipway` commands'],
] as const;

/** `AGENTS.md` (https://agents.md): what a coding agent must know of this service, from the modules that it has. */
export const composeAgents: Composer = ({ manifest, modules }) => {
  const { name, run } = packageManagerCommands[manifest.packageManager];
  const slipway = `${run} slipway${name === 'npm' ? ' --' : ''}`;
  const rows = modules.filter(({ category }) => category !== 'base').map(({ id, summary }) => [`\`${id}\``, summary]);
  const rules = modules.flatMap(({ agentRules = [] }) => agentRules);
  const text = [
    '# Agents',
    `What a coding agent must know of ${manifest.service.name} (${manifest.service.description}).`,
    '## Layout',
    markdownTable(['path', 'holds'], layout),
    '## Commands',
    markdownTable(
      ['command', 'does'],
      [
        [`\`${run} dev\``, 'runs the service and restarts it at each change'],
        [`\`${run} check\``, 'all checks; it must pass before a commit'],
        [`\`${run} test\``, 'the tests; `npx vitest run <file>` runs one file'],
        [`\`${run} format:write\``, 'formats'],
        [`\`${slipway} plan add <module> --json\``, 'what a module would change, as JSON; nothing is written'],
        [`\`${slipway} add <module>\``, 'brings a module; exit code 3 means conflicts, and that nothing was written'],
        [`\`${slipway} explain <file> --json\``, 'who owns a file and what happens to edits of it'],
      ],
    ),
    '## Rules',
    rules.map((rule) => `- ${rule.replaceAll('{run}', run)}`).join('\n'),
    '## Where not to write',
    [
      '- `.slipway/`: what Slipway remembers.',
      '- `*.gen.ts`, and files that `slipway explain` calls managed or derived: they are printed again.',
      '- `internal/platform/`: an edit is kept and merged with each update, but a setting or a slice of your own is better.',
    ].join('\n'),
    ...(rows.length === 0 ? [] : ['## Modules', markdownTable(['module', 'gives'], rows)]),
  ].join('\n\n');
  return [['AGENTS.md', { text: `${text}\n`, ownership: 'merged' }]];
};
