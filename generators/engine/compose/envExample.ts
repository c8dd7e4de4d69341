import type { Composer } from './composer.ts';

/**
 * `.env.example`: every setting with its default, commented out, for `cp .env.example .env`. The last line separates what a user
 * appends from what a new module appends.
 */
export const composeEnvExample: Composer = ({ modules }) => {
  const sections = modules
    .filter((module) => module.config.length > 0)
    .map((module) => {
      const lines = module.config.map((variable) => {
        const value = variable.default ?? variable.example ?? '';
        return `# ${variable.description} (${variable.expects})\n${variable.required ? '' : '# '}${variable.name}=${value}\n`;
      });
      return `# --- ${module.id} ---\n\n${lines.join('\n')}`;
    });
  return [['.env.example', { text: [...sections, '# --- your own ---\n'].join('\n'), ownership: 'merged' }]];
};
