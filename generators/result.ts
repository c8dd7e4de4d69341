import type { ExitCode, SlipwayError } from './engine/errors.ts';

/** The result of a command, as text for a person and as JSON for a program. */
export interface Result {
  readonly exitCode: ExitCode;
  readonly text: string;
  readonly json: unknown;
  /** A failure after the files were written. The files are kept. */
  readonly fault?: SlipwayError;
}
