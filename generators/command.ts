import type { Invocation } from './invocation.ts';
import type { Intent } from './reconcile.ts';
import type { Result } from './result.ts';

/** One flag of the command line. */
export interface Flag {
  readonly type: 'boolean' | 'string';
  readonly summary: string;
  /** The placeholder for the value on the help page. */
  readonly value?: string;
  readonly short?: string;
  readonly multiple?: true;
  /** The value of a flag without one: `--verify` is `--verify=check`. */
  readonly bare?: string;
}

export type Flags = Readonly<Record<string, Flag>>;

/** The `command` export of a file in `generators/commands/`. The command has the name of the file. */
export interface Command {
  /** The arguments, as the help page shows them. */
  readonly usage: string;
  readonly summary: string;
  /** The flags of this command, in addition to `everywhere`. A command that writes includes `changing`. */
  readonly flags: Flags;
  /** For a command that changes a service: asks for missing input and returns the intent. */
  readonly ask?: (invocation: Invocation) => Intent | Promise<Intent>;
  /** For a command that only reads: returns the result. */
  readonly read?: (invocation: Invocation) => Result | Promise<Result>;
}

/** Flags of every command. */
export const everywhere: Flags = {
  cwd: { type: 'string', value: 'dir', summary: 'run as if started in this folder' },
  json: { type: 'boolean', summary: 'print one JSON document, ask nothing' },
  quiet: { type: 'boolean', short: 'q', summary: 'print errors only' },
  catalogue: { type: 'string', value: 'file', summary: 'use this catalogue (JSON) instead of the built-in one' },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
  version: { type: 'boolean', short: 'v', summary: 'print the version' },
};

/** Flags of every command that writes. */
export const changing = {
  'dry-run': { type: 'boolean', summary: 'show the plan, write nothing' },
  diff: { type: 'boolean', summary: 'show the plan as a unified diff' },
  yes: { type: 'boolean', short: 'y', summary: 'take the default for whatever is not given' },
  conflict: {
    type: 'string',
    value: 'choice[:path]',
    multiple: true,
    summary: 'stop (default), ours, theirs, markers or skip; may be repeated, the last that fits a file decides',
  },
  verify: { type: 'string', value: 'scripts', bare: 'check', summary: 'run npm scripts in a scratch copy first' },
  'no-install': { type: 'boolean', summary: 'leave the dependencies to you' },
  'no-git': { type: 'boolean', summary: 'leave git to you' },
} as const satisfies Flags;

/** Sets an option of a module; a flag of each command that adds modules. */
export const set = {
  set: { type: 'string', value: 'm.option=value', multiple: true, summary: 'an option of a module; may be repeated' },
} as const satisfies Flags;

/**
 * Declares a command. Returns its argument unchanged; it exists for type checking.
 * @param command the description and the behaviour of the command
 * @returns the same object
 */
export function defineCommand(command: Command): Command {
  return command;
}
