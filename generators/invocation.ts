import type { ConflictMode } from './engine/model.ts';

/** How a command was called: what `bin/` has parsed, and what it runs in. */
export interface Invocation {
  readonly command: string;
  /** What stands after the command, without flags. */
  readonly args: readonly string[];
  readonly flags: Flags;
  /** The flags that this command has for itself: name → value. */
  readonly own: Readonly<Record<string, string | boolean | undefined>>;
  /** Absolute path of the folder to start from. */
  readonly cwd: string;
  /** Whether somebody can be asked. */
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
  /** A catalogue other than the one that came with this package. */
  readonly catalogue?: string;
  /** `module.option=value`, any number of them. */
  readonly set: readonly string[];
}

/**
 * @param invocation how a command was called
 * @param name of a flag of that command that takes a value
 * @returns its value, if it was given
 */
export function textOf({ own }: Invocation, name: string): string | undefined {
  const value = own[name];
  return typeof value === 'string' ? value : undefined;
}
