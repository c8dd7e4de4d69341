import type { ConfigVariable } from '../model.ts';
import type { Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';

/** `docs/configuration.md`: all settings, from the schemas that the service validates at start. */
export const composeConfigDocs: Composer = ({ modules }) => {
  const sections = modules
    .filter((module) => module.config.length > 0)
    .map(
      (module) =>
        `## ${module.id}\n\n${markdownTable(['variable', 'expects', 'default', 'meaning'], module.config.map(row))}\n`,
    );
  const text = [
    '# Configuration\n',
    'Each setting is an environment variable. The service checks all of them at start: if some are not valid, it prints all',
    'faults and exits. In development it also reads `.env` (`cp .env.example .env`).\n',
    sections.join('\n'),
  ].join('\n');
  return [['docs/configuration.md', { text, ownership: 'merged' }]];
};

function row(variable: ConfigVariable): string[] {
  const value = variable.secret
    ? 'secret'
    : variable.required
      ? 'required'
      : variable.default === ''
        ? 'empty'
        : code(variable.default);
  return [`\`${variable.name}\``, variable.expects, value, variable.description];
}

function code(value: string | undefined): string {
  return value === undefined ? 'none' : `\`${value}\``;
}
