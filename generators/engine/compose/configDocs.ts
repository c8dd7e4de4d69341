import type { ConfigVariable } from '../model.ts';
import type { Composer } from './composer.ts';
import { markdownTable } from './markdown.ts';

/** `docs/configuration.md`: every setting, from the schemas that the service itself runs. */
export const composeConfigDocs: Composer = ({ modules }) => {
  const sections = modules
    .filter((module) => module.config.length > 0)
    .map(
      (module) =>
        `## ${module.id}\n\n${markdownTable(['variable', 'expects', 'default', 'meaning'], module.config.map(row))}\n`,
    );
  const text = [
    '# Configuration\n',
    'Every setting is an environment variable, checked at start: the service names all faults at once and refuses to run. In',
    'development `.env` is read if it exists (`cp .env.example .env`).\n',
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
