/** The exit codes of every command. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, conflicts: 3, drift: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A fault that is shown to the user as it stands, without a stack: what is wrong, where, and what to do. */
export class SlipwayError extends Error {
  override readonly name = 'SlipwayError';
  readonly exitCode: ExitCode;
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** Facts for `--json`. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param exitCode what the process will exit with
   * @param message what is wrong and where, without a full stop
   * @param options the remedy, machine-readable facts, and the fault underneath
   */
  constructor(
    exitCode: ExitCode,
    message: string,
    options: { hint?: string; details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/**
 * A fault in what the user typed or wrote.
 * @param message what is wrong and where
 * @param hint what to do
 * @param details facts for `--json`
 * @returns the error, with exit code 2, to be thrown
 */
export function badInput(message: string, hint?: string, details?: Readonly<Record<string, unknown>>): SlipwayError {
  return new SlipwayError(exitCodes.badInput, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}
