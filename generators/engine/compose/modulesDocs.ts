import type { Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';
import { modulesPicture } from './modulesPicture.ts';

/** `docs/modules.md`: the modules of this service, drawn, and each with its page. */
export const composeModulesDocs: Composer = ({ modules, paths }) => {
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
    ['```mermaid', ...modulesPicture(modules), '```'].join('\n'),
    rows.length === 0
      ? 'None beside the base yet.'
      : markdownTable(['module', 'category', 'what it gives', 'npm scripts'], rows),
    'Add one with `slipway add <module>`; `slipway list` shows what there is.\n',
  ].join('\n\n');
  return [['docs/modules.md', { text, ownership: 'merged' }]];
};
