/** The exit codes of every command. */
export const exitCodes = { done: 0, failed: 1, badInput: 2, conflicts: 3, drift: 4 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** An error for the user. The message says what is wrong and where, and the hint says what to do. It is shown without a stack trace. */
export class SlipwayError extends Error {
  override readonly name = 'SlipwayError';
  readonly exitCode: ExitCode;
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** Facts for `--json`. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param exitCode exit code of the process
   * @param message what is wrong and where, without a full stop
   * @param options the hint, machine-readable facts, and the cause
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
 * Creates an error for wrong input from the user.
 * @param message what is wrong and where
 * @param hint what to do
 * @param details facts for `--json`
 * @returns the error, with exit code 2, for the caller to throw
 */
export function badInput(message: string, hint?: string, details?: Readonly<Record<string, unknown>>): SlipwayError {
  return new SlipwayError(exitCodes.badInput, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}
