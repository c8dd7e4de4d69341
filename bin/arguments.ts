import path from 'node:path';
import { parseArgs, type ParseArgsOptionDescriptor } from 'node:util';
import { badInput, type SlipwayError } from '../generators/engine/errors.ts';
import { parseConflictRule } from '../generators/engine/reconcile/policy.ts';
import { didYouMean } from '../generators/engine/suggest.ts';
import type { Invocation } from '../generators/invocation.ts';
import { changing, type Command, everywhere, type Flags } from '../generators/command.ts';
import { commandNames, flagsOf, loadCommand } from '../generators/commands.ts';

/** The result of reading the command line. */
export type Request =
  | { readonly kind: 'help'; readonly command: string | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly invocation: Invocation };

/**
 * Reads a command line.
 * @param argv arguments after the executable's name
 * @param cwd the current folder, absolute
 * @param interactive whether standard input and output are a terminal
 * @returns the request
 * @throws SlipwayError (exit code 2) for an unknown command or flag, with a suggestion
 */
export async function readArguments(argv: readonly string[], cwd: string, interactive: boolean): Promise<Request> {
  const [command, ...rest] = commandFirst(argv);
  if (command === undefined)
    return { kind: parse('', argv, everywhere).values['version'] === true ? 'version' : 'help', command };
  if (command === 'help') return readArguments([...rest, '--help'], cwd, interactive);
  if (!commandNames.includes(command)) {
    throw badInput(`there is no command "${command}"`, didYouMean(command, commandNames));
  }
  if (command === 'plan') return planOf(rest, cwd);
  const loaded = await loadCommand(command);
  const { values, positionals } = parse(command, rest, flagsOf(loaded));
  if (values['help'] === true) return { kind: 'help', command };
  if (values['version'] === true) return { kind: 'version' };
  refuseTooMany(command, loaded, positionals);
  const text = (name: string): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
  const texts = (name: string): string[] => {
    const all = values[name];
    return Array.isArray(all) ? all.filter((value) => typeof value === 'string') : [];
  };
  const given = (name: string): boolean => values[name] === true;
  const catalogue = text('catalogue');
  return {
    kind: 'run',
    invocation: {
      command,
      args: positionals,
      cwd: path.resolve(cwd, text('cwd') ?? '.'),
      interactive: interactive && !given('yes') && !given('json'),
      flags: {
        dryRun: given('dry-run'),
        diff: given('diff'),
        json: given('json'),
        yes: given('yes'),
        quiet: given('quiet'),
        verify: scriptsOf(text('verify')),
        install: !given('no-install'),
        git: !given('no-git'),
        conflicts: texts('conflict').map(parseConflictRule),
        set: texts('set'),
        ...(catalogue === undefined ? {} : { catalogue }),
      },
      own: ownOf(values, loaded),
    },
  };
}

/** `plan add postgres` is `add postgres --dry-run`. */
async function planOf(rest: readonly string[], cwd: string): Promise<Request> {
  const [inner] = commandFirst(rest);
  if (inner === undefined && (rest.includes('--help') || rest.includes('-h'))) return { kind: 'help', command: 'plan' };
  const plannable = await commandsWith('dry-run');
  if (inner === undefined) throw badInput('slipway plan needs a command', 'for example: slipway plan add postgres');
  if (!plannable.includes(inner)) throw badInput(`there is no plan of "${inner}"`, didYouMean(inner, plannable));
  return readArguments([...rest, '--dry-run'], cwd, false);
}

/** Allows global flags before the command: `slipway --json check`. */
function commandFirst(argv: readonly string[]): readonly string[] {
  const at = argv.findIndex((word, index) => !word.startsWith('-') && !takesValue(argv[index - 1]));
  return at === -1 ? [] : [argv[at] ?? '', ...argv.slice(0, at), ...argv.slice(at + 1)];
}

function takesValue(word: string | undefined): boolean {
  return word === '--cwd' || word === '--conflict' || word === '--catalogue';
}

/** The names of the commands that take a flag. */
async function commandsWith(flag: string): Promise<string[]> {
  const all = await Promise.all(commandNames.map(async (name) => [name, flagsOf(await loadCommand(name))] as const));
  return all.filter(([, flags]) => Object.hasOwn(flags, flag)).map(([name]) => name);
}

/** The values of the flags that only this command has. */
function ownOf(values: Readonly<Record<string, unknown>>, { flags }: Command): Invocation['own'] {
  const names = Object.keys(flags).filter((name) => !Object.hasOwn(changing, name));
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = values[name];
      return typeof value === 'string' || typeof value === 'boolean' ? [[name, value] as const] : [];
    }),
  );
}

function parse(
  command: string,
  args: readonly string[],
  known: Flags,
): {
  values: Readonly<Record<string, unknown>>;
  positionals: string[];
} {
  const options: Record<string, ParseArgsOptionDescriptor> = {};
  for (const [name, { type, short, multiple }] of Object.entries(known)) {
    options[name] = { type, ...(short === undefined ? {} : { short }), ...(multiple ? { multiple } : {}) };
  }
  // `parseArgs` has no flags with an optional value.
  const whole = args.map((word) => {
    const bare = word.startsWith('--') ? known[word.slice('--'.length)]?.bare : undefined;
    return bare === undefined ? word : `${word}=${bare}`;
  });
  try {
    return parseArgs({ args: whole, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw explained(error instanceof Error ? error.message : String(error), command, known);
  }
}

/** Reads the names of npm scripts, separated by commas. */
function scriptsOf(value: string | undefined): readonly string[] {
  const names = value?.split(',').map((name) => name.trim()) ?? [];
  if (names.includes(''))
    throw badInput(`--verify takes names of npm scripts; given: ${value}`, '--verify=check,smoke');
  return names;
}

/** Rewrites an error of Node's `parseArgs` in the words of this command line. */
function explained(message: string, command: string, known: Flags): SlipwayError {
  const program = `slipway ${command}`.trimEnd();
  const unknown = /^Unknown option '(--?[^']+)'/.exec(message)?.[1];
  if (unknown !== undefined) {
    const names = Object.keys(known).map((name) => `--${name}`);
    return badInput(`${program} has no flag ${unknown}`, didYouMean(unknown, names));
  }
  const name = /--([\w-]+)/.exec(message)?.[1] ?? '';
  const { value } = known[name] ?? {};
  return value === undefined
    ? badInput(`--${name} takes no value`, `${program} --help`)
    : badInput(`--${name} needs a value`, `--${name} <${value}>`);
}

/** Derives the maximum number of arguments from the usage of the command. */
function refuseTooMany(command: string, { usage }: Command, args: readonly string[]): void {
  if (usage.includes('...') || args.length <= (usage === '' ? 0 : 1)) return;
  const takes = usage === '' ? 'nothing but flags' : 'one argument';
  throw badInput(`slipway ${command} takes ${takes}; given: ${args.join(' ')}`, `slipway ${command} --help`);
}
