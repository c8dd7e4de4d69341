import type { ConflictMode } from './engine/reconcile/plan.ts';

/** How a command was called: what `bin/` has parsed, and what it runs in. */
export interface Invocation {
  readonly command: string;
  /** What stands after the command, without flags. */
  readonly args: readonly string[];
  readonly flags: Flags;
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
  readonly name?: string;
  readonly description?: string;
  readonly preset?: string;
  readonly modules?: string;
  readonly packageManager?: string;
  readonly ci?: string;
  readonly provider?: string;
  readonly answers?: string;
  readonly pinNode?: boolean;
  readonly platformTests?: boolean;
  /** `module.option=value`, any number of them. */
  readonly set: readonly string[];
}
