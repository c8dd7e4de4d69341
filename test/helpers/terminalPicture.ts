/** `node test/helpers/terminalPicture.ts`: runs the built command line in a scratch folder and draws its output as docs/terminal.svg. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { scratchFolder } from './cli.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const lineHeight = 18;
const characterWidth = 8.43;
const margin = 16;

/** The styles of picocolors' codes (ECMA-48, SGR) on a dark background. */
const styles: Readonly<Record<string, string>> = {
  '1': 'font-weight="bold"',
  '2': 'fill="#8b949e"',
  '31': 'fill="#ff7b72"',
  '32': 'fill="#7ee787"',
  '33': 'fill="#e3b341"',
  '36': 'fill="#79c0ff"',
};
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Input lines and their folders: a new service, a line of the user's own, a resource, a module. */
const session = [
  { line: 'create-slipway orders --yes --no-install --no-git', folder: '.' },
  { line: 'cd orders', folder: '.' },
  { line: 'npm pkg set scripts.greet="echo hello"', folder: 'orders' },
  { line: 'slipway resource order sku:string:unique quantity:int --no-install', folder: 'orders' },
  { line: 'slipway add postgres --no-install', folder: 'orders' },
];

using scratch = scratchFolder();
const shown = session.map(({ line, folder }) => `\u001B[1m$ ${line}\u001B[22m\n${typed(line, folder)}`).join('');
const lines = shown.trimEnd().split('\n');
const widest = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
const width = Math.ceil(widest * characterWidth + 2 * margin);
const height = lines.length * lineHeight + 2 * margin;

writeFileSync(
  path.join(repository, 'docs', 'terminal.svg'),
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>A service is created, edited, and given a resource and a module</title>',
    '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    '<g fill="#e6edf3" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">',
    ...lines.map(
      (line, index) =>
        `<text xml:space="preserve" x="${margin}" y="${margin + (index + 0.75) * lineHeight}">${drawn(line)}</text>`,
    ),
    '</g>',
    '</svg>',
    '',
  ].join('\n'),
);

/** Runs one line of the session. */
function typed(line: string, folder: string): string {
  const [program = '', ...rest] = line.split(' ');
  if (program === 'cd') return '';
  const executables: Readonly<Record<string, string>> = manifest.bin;
  const script = executables[program];
  const command = script === undefined ? line : `node ${path.join(repository, script)} ${rest.join(' ')}`;
  const cwd = path.join(scratch.path, folder);
  const { status, stdout } = spawnSync(command, { cwd, shell: true, encoding: 'utf8', env: environment() });
  if (status !== 0) throw new Error(`${line} exited with ${status}`);
  return stdout === '' ? '' : `${stdout}\n`;
}

function environment(): NodeJS.ProcessEnv {
  const { NO_COLOR: _, ...env } = process.env;
  return { ...env, FORCE_COLOR: '1' };
}

function drawn(line: string): string {
  const [plain = '', ...coloured] = line
    .replace(/[&<>]/g, (character) => entities[character] ?? character)
    .split('\u001B[');
  return plain + coloured.map((part) => part.replace(/^(\d+)m/, (_, code: string) => tag(code))).join('');
}

function tag(code: string): string {
  const style = styles[code];
  return style === undefined ? '</tspan>' : `<tspan ${style}>`;
}
