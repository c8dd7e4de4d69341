import type { Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';

/** `docs/modules.md`: the modules of this service, each with its page. */
export const composeModulesDocs: Composer = ({ modules, paths }) => {
  const rows = modules
    .filter((module) => module.category !== 'base')
    .map((module) => {
      const page = `docs/${module.id}.md`;
      return [paths.includes(page) ? `[${module.id}](${module.id}.md)` : module.id, module.category, module.summary];
    });
  const table = rows.length === 0 ? 'None yet.' : markdownTable(['module', 'category', 'what it gives'], rows);
  const text = `# Modules\n\n${table}\n\nAdd one with \`slipway add <module>\`; \`slipway list\` shows what there is.\n`;
  return [['docs/modules.md', { text, ownership: 'merged' }]];
};
