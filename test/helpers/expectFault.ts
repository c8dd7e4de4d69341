import { expect } from 'vitest';
import type { CliResult } from './cli.ts';

/**
 * Expects that a run ended with one clear error on standard error, an empty standard output, and no stack trace.
 * @param result the result of the run
 * @param exitCode 1 failed, 2 bad usage or input, 3 conflicts
 * @param message the expected text of the error
 */
export function expectFault(result: CliResult, exitCode: number, message: string | RegExp): void {
  expect(result.stderr).toMatch(/^error \S/);
  expect(result.stderr.match(/^error /gm)).toHaveLength(1);
  // Allows printable characters and line breaks only, so that no escape sequence of a hostile name reaches the
  // terminal.
  expect(result.stderr).not.toMatch(/[^\n\P{Cc}]/u);
  expect(result.stderr).not.toContain('a fault of Slipway itself');
  if (typeof message === 'string') expect(result.stderr).toContain(message);
  else expect(result.stderr).toMatch(message);
  expect(result).toMatchObject({ exitCode, stdout: '' });
}
