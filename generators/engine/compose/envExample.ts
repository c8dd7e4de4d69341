import type { Composer } from './composer.ts';

/**
 * `.env.example`: every setting, commented out at its default, for `cp .env.example .env`. Its last line keeps what a user
 * appends apart from what the next module appends.
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
