import type { ExitCode } from './engine/errors.ts';

/** What a command has to say: to a person, and to a machine. */
export interface Result {
  readonly exitCode: ExitCode;
  readonly text: string;
  readonly json: unknown;
}
