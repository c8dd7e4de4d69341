import { packageManagerDefinitions } from '../packageManagers/index.ts';
import type { Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';

const layout = [
  [
    '`internal/<slice>/`',
    'the domain of this service, one folder for each slice: write here; `docs/first-slice.md` shows how',
  ],
  ['`internal/platform/`', 'code of Slipway: use it, and change it only if you must'],
  ['`cmd/<process>/main.ts`', 'lists the modules and the slices of a process: add a new slice to `cmd/server/main.ts`'],
  ['`pkg/`', 'public code; it imports neither `internal/` nor `cmd/`'],
  ['`docs/`', 'architecture, settings (`docs/configuration.md`), one page for each module'],
  ['`slipway.json`', 'the modules, options and resources of this service; change it with `slipway` commands'],
] as const;

/** `AGENTS.md` (https://agents.md): the facts about this service that a coding agent needs, from its modules. */
export const composeAgents: Composer = ({ manifest, modules }) => {
  const { run, dashes } = packageManagerDefinitions[manifest.packageManager];
  const slipway = `${run} slipway${dashes}`;
  const rows = modules
    .filter(({ category, part }) => category !== 'base' && !part)
    .map(({ id, summary }) => [`\`${id}\``, summary]);
  const rules = modules.flatMap(({ agentRules = [] }) => agentRules);
  const text = [
    '# Agents',
    `What a coding agent needs to know about ${manifest.service.name} (${manifest.service.description}).`,
    '## Layout',
    markdownTable(['path', 'holds'], layout),
    '## Commands',
    markdownTable(
      ['command', 'does'],
      [
        [`\`${run} dev\``, 'runs the service and restarts it after each change'],
        [`\`${run} check\``, 'all checks and tests; it must pass before a commit'],
        [`\`${run} test\``, 'the tests; `npx vitest run <file>` runs one file'],
        [`\`${run} format:write\``, 'formats'],
        [`\`${slipway} plan add <module> --json\``, 'shows as JSON what a module would change; writes nothing'],
        [`\`${slipway} add <module>\``, 'adds a module; exit code 3 means conflicts and that nothing was written'],
        [`\`${slipway} resource <name> <field:type...>\``, 'makes a slice that stores data, or changes its fields'],
        [`\`${slipway} explain <file> --json\``, 'shows who owns a file and what happens to your edits'],
      ],
    ),
    '## Rules',
    rules.map((rule) => `- ${rule.replaceAll('{run}', run)}`).join('\n'),
    '## Where not to write',
    [
      '- `.slipway/`: the state of Slipway.',
      '- `*.gen.ts`, and files that `slipway explain` calls managed or derived: they are generated again.',
      '- `internal/platform/`: updates merge your edits, but a setting or your own slice is better.',
    ].join('\n'),
    ...(rows.length === 0 ? [] : ['## Modules', markdownTable(['module', 'gives'], rows)]),
  ].join('\n\n');
  return [['AGENTS.md', { text: `${text}\n`, ownership: 'merged' }]];
};
