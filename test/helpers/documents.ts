import { dirname, join } from 'node:path/posix';
import { readArguments } from '../../bin/arguments.ts';
import { commandNames, flagsOf, loadCommand } from '../../generators/commands.ts';

/** The names that documents may use. */
export interface World {
  /** Every file, relative to the root. */
  readonly files: readonly string[];
  /** Files and folders that are created on the user's machine: `node_modules/`. */
  readonly made: readonly string[];
  /** Names of npm scripts. */
  readonly scripts: ReadonlySet<string>;
  /** Returns the text of a page, for its headings. */
  readonly read: (path: string) => string | undefined;
  /** Whether a flag without a command is one of `slipway`; if not, it may belong to any program. */
  readonly flagsAreOurs: boolean;
}

/** Code in a document: the lines of fenced blocks, and the text between backticks. */
interface Code {
  readonly lines: readonly string[];
  readonly spans: readonly string[];
}

/**
 * Finds names in a document that do not exist: relative links and their headings, paths, npm scripts, commands and
 * flags of `slipway`.
 *
 * A span of code is a path when it is one word of path characters with a `/` in it, or a file name with one of our
 * endings. Routes (`/items`), packages (`@scope/name`), media types and names under a domain are not paths. In lines
 * of code a word is a path when it starts with an existing folder. `<id>`, `*` and `{a,b}` match any fitting name.
 * @param page path of the document, relative to the root
 * @param text Markdown
 * @param world the existing names
 * @returns one line for each fault
 */
export async function faultsIn(page: string, text: string, world: World): Promise<string[]> {
  const code = codeIn(text);
  const lines = [...code.lines, ...code.spans.filter((span) => span.includes(' '))];
  const tops = new Set(world.files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
  const words = lines.flatMap((line) => line.split(/[\s"'`=,;()]+/)).filter((word) => tops.has(word.split('/')[0]));
  const paths = [...code.spans.filter(isPath), ...words.filter((word) => word.includes('/'))];
  return [
    ...linksIn(text).flatMap((link) => linkFault(page, link, world)),
    ...paths.filter((path) => !isThere(path, page, world)).map((path) => `no path ${path}`),
    ...[...code.lines, ...code.spans]
      .flatMap(scriptsIn)
      .filter((name) => !world.scripts.has(name))
      .map((name) => `no npm script ${name}`),
    ...(await Promise.all([...code.lines, ...code.spans].map(commandFaults))).flat(),
    ...(world.flagsAreOurs ? code.spans.flatMap(flagFault) : []),
  ].map((fault) => `${page}: ${fault}`);
}

function codeIn(text: string): Code {
  const lines: string[] = [];
  const prose = text.replaceAll(/^```(\w*)\n([^]*?)^```$/gm, (_, language: string, block: string) => {
    if (language === '' || language === 'sh')
      lines.push(...block.split('\n').map((line) => line.replace(/(?:^|\s)#.*$/, '')));
    return '';
  });
  for (const [, line = ''] of prose.matchAll(/^ {4}(\S.*)$/gm)) lines.push(line);
  return { lines, spans: [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span) };
}

function linksIn(text: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

function linkFault(page: string, link: string, world: World): string[] {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!matches(target, world)) return [`no page ${link}`];
  if (heading === undefined || headingsOf(world.read(target) ?? '').includes(heading)) return [];
  return [`no heading ${link}`];
}

function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => anchorOf(title));
}

/**
 * @param title text of a heading
 * @returns its anchor, as in GitHub and GitLab
 */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

const endings = /^[\w.-]*\w\.(?:[cm]?[jt]s|json|md|svg|ya?ml|hbs|gen\.ts)$/;

function isPath(span: string): boolean {
  if (!/^[\w.*<>{},@-]+(?:\/[\w.*<>{},@-]*)*$/.test(span) || span.startsWith('@')) return false;
  // A network, such as 10.0.0.0/8.
  if (/^[\d.]+\/\d+$/.test(span)) return false;
  if (/^(?:application|text|image|font|http(?=\/protobuf)|[a-z]+(?:\.[A-Za-z]\w*)+)\//.test(span)) return false;
  return span.includes('/') || endings.test(span);
}

function isThere(path: string, page: string, world: World): boolean {
  if (path.startsWith('../') && join(dirname(page), path).startsWith('../')) return true;
  if (endings.test(path) && world.files.some((file) => file === path || file.endsWith(`/${path}`))) return true;
  return matches(join(path), world) || matches(join(dirname(page), path), world);
}

function matches(path: string, { files, made }: World): boolean {
  const bare = path.replace(/^\.\//, '').replace(/\/$/, '');
  if (made.some((name) => `${bare}/`.startsWith(`${name.replace(/\/$/, '')}/`))) return true;
  const pattern = bare
    .replaceAll(/[.+()[\]^$|]/g, '\\$&')
    .replaceAll(/\{([^}]*)\}/g, (_, choices: string) => `(?:${choices.replaceAll(',', '|')})`)
    .replaceAll(/\*\*|\*|<[^>]*>/g, (wild) => (wild === '**' ? '.*' : wild === '*' ? '[^/]*' : '[^/]+'));
  const regexp = new RegExp(`^${pattern}(?:/|$)`);
  return bare === '.' || files.some((file) => regexp.test(file));
}

function scriptsIn(line: string): string[] {
  const run = /\b(?:p?npm run|node --run) ([a-z][\w:-]*)/g;
  const short = /\bnpm (test|start)\b/g;
  return [...line.matchAll(run), ...line.matchAll(short)].map(([, name = '']) => name);
}

/** Checks calls of `slipway` with the parser of the command line itself. */
async function commandFaults(line: string): Promise<string[]> {
  const call = /(?:^|[\s/])(create slipway@\w+|(?:create-)?slipway)(?:\.cjs)?((?: (?![&|>#;]|\d>)[^\s|;#]+)+)/g;
  const faults = [...line.matchAll(call)].map(async ([, program = '', rest = '']) => {
    const words = rest
      .trim()
      .split(' ')
      .map((word) => word.replaceAll(/^["']|["']$/g, ''));
    const args = words.filter((word) => word !== '--' && !/^[<([]/.test(word));
    const isNew = program.startsWith('create');
    if (!isNew && args.every((word) => word.startsWith('-'))) return args.flatMap(flagFault);
    if (args.length === 1 && commandNames.includes(args[0] ?? '')) return [];
    try {
      await readArguments(isNew ? ['new', ...args] : args, '/', false);
      return [];
    } catch (error) {
      return [`${program}${rest}: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
  return (await Promise.all(faults)).flat();
}

const loaded = await Promise.all(commandNames.map(loadCommand));
const flags = new Set(loaded.flatMap((command) => Object.keys(flagsOf(command))));

/** A span that begins with a flag refers to `slipway`. */
function flagFault(span: string): string[] {
  const name = /^--([a-z][a-z-]*)/.exec(span)?.[1];
  return name === undefined || flags.has(name) ? [] : [`no flag --${name}`];
}
