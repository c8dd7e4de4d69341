import type { ConflictRule } from './engine/reconcile/policy.ts';

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
  /** The npm scripts that must pass in a scratch copy before anything is written. */
  readonly verify: readonly string[];
  readonly install: boolean;
  readonly git: boolean;
  /** What happens to conflicts, in the order of the command line. */
  readonly conflicts: readonly ConflictRule[];
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
