import type { ConflictMode } from './engine/model.ts';

/** How a command was called: the parsed command line and the environment. */
export interface Invocation {
  readonly command: string;
  /** The arguments after the command, without flags. */
  readonly args: readonly string[];
  readonly flags: Flags;
  /** The flags that only this command has: name → value. */
  readonly own: Readonly<Record<string, string | boolean | undefined>>;
  /** Absolute path of the current folder. */
  readonly cwd: string;
  /** Whether the command can ask the user. */
  readonly interactive: boolean;
}

export interface Flags {
  readonly dryRun: boolean;
  readonly diff: boolean;
  readonly json: boolean;
  readonly yes: boolean;
  readonly quiet: boolean;
  readonly verify: boolean;
  readonly install: boolean;
  readonly git: boolean;
  readonly conflict: ConflictMode;
  /** Path of a catalogue other than the built-in one. */
  readonly catalogue?: string;
  /** Any number of items of the form `module.option=value`. */
  readonly set: readonly string[];
}

/**
 * @param invocation how a command was called
 * @param name name of a flag of that command that takes a value
 * @returns the value; undefined when the flag is absent
 */
export function textOf({ own }: Invocation, name: string): string | undefined {
  const value = own[name];
  return typeof value === 'string' ? value : undefined;
}
