/**
 * Asks the registry whether what runs in production has known vulnerabilities: `npm run audit`. The package manager asks and
 * reports; whether it has asked at all, its exit code does not tell. Exit code 1: there are vulnerabilities; 2: nothing is known.
 */
import { spawnSync } from 'node:child_process';

/**
 * @param status exit code of `npm audit` or `pnpm audit`; null when it was killed
 * @param output what it has printed
 * @returns the exit code of this script
 */
export function exitCodeOf(status: number | null, output: string): 0 | 1 | 2 {
  if (status === 0) return 0;
  return /\d+ (\w+ severity )?vulnerabilit/.test(output) ? 1 : 2;
}

if (import.meta.main) {
  // pnpm hands on the dashes that npm takes away.
  const [program = '', ...args] = process.argv.slice(2).filter((argument) => argument !== '--');
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    // By default pnpm tries for more than two minutes.
    env: { ...process.env, npm_config_fetch_retries: '1' },
  });
  if (error) throw error;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = exitCodeOf(status, stdout);
  if (process.exitCode === 2) {
    process.stderr.write(
      [
        `audit: the registry did not answer as it should, so NOTHING IS KNOWN about vulnerabilities. Where your registry takes no`,
        `audits, name one that does: ${program} run audit -- --registry=<url>\n`,
      ].join('\n'),
    );
  }
}
