import type { ExitCode, SlipwayError } from './engine/errors.ts';

/** What a command has to say: to a person, and to a machine. */
export interface Result {
  readonly exitCode: ExitCode;
  readonly text: string;
  readonly json: unknown;
  /** What did not work once the files were written; they are kept. */
  readonly fault?: SlipwayError;
}
