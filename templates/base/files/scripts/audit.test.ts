import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './support/service.ts';

/** Runs the script with a program in the package manager's place. */
function audit(exitCode: number, output: string) {
  const program = `console.log(${JSON.stringify(output)}); console.error('reason'); process.exitCode = ${exitCode}`;
  const args = [path.join(root, 'scripts', 'audit.ts'), process.execPath, '--eval', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stdout).toContain(output);
  expect(stderr).toContain('reason');
  return { status, saysNothingIsKnown: stderr.includes('NOTHING IS KNOWN') };
}

describe('an audit', () => {
  it.each(['found 0 vulnerabilities', '1 low severity vulnerability', 'No known vulnerabilities found'])(
    'passes when the package manager does, and says what it said: %s',
    (output) => {
      expect(audit(0, output)).toEqual({ status: 0, saysNothingIsKnown: false });
    },
  );

  it.each(['1 high severity vulnerability', '3 vulnerabilities (1 low, 2 critical)', '2 vulnerabilities found'])(
    'fails with 1 on %s',
    (output) => {
      expect(audit(1, output)).toEqual({ status: 1, saysNothingIsKnown: false });
    },
  );

  it.each(['', 'undefined', 'ERR_PNPM_AUDIT_BAD_RESPONSE  The audit endpoint responded with 405'])(
    'fails with 2 when the registry was not asked, and says so: %s',
    (output) => {
      expect(audit(1, output)).toEqual({ status: 2, saysNothingIsKnown: true });
    },
  );
});
