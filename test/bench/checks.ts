import { performance } from 'node:perf_hooks';
import { stripVTControlCharacters } from 'node:util';
import type { Measurement } from './measurement.ts';
import { median, runProgram } from './sample.ts';
import { type Candidate, candidates, type Command } from './services.ts';
import { table } from './table.ts';

const rounds = 3;

/** What a developer waits for before a commit. */
export const checks: Measurement = {
  title: 'Build and checks of a fresh service, wall time',
  measure({ service, serviceEnv }) {
    const services = candidates.map((candidate) => ({
      candidate,
      folder: service(candidate),
      builds: [] as number[],
      runs: [] as Checked[],
    }));
    for (let round = 0; round < rounds; round += 1) {
      for (const { candidate, folder, builds, runs } of services) {
        if (candidate.build !== undefined) builds.push(timed(candidate.build, folder, serviceEnv).seconds);
        runs.push(check(candidate, folder, serviceEnv));
      }
    }
    const rows = services.map(({ candidate: { name, checks: scripts }, builds, runs }) => [
      name,
      builds.length === 0 ? '' : median(builds).toFixed(1),
      scripts.map((script) => `\`${script}\``).join(', '),
      median(runs.map(({ seconds }) => seconds)).toFixed(1),
      runs[0]?.tests ?? '',
    ]);
    return [
      'Slipway’s `check` is lint with types, format, type check, licences, and the tests. Each of the others is what its template has of that: Nest’s lint with types (its build is what checks types) and tests, Fastify’s tests.',
      table(['what', '`build`, s', 'checks', 's', 'tests'], rows),
    ].join('\n\n');
  },
};

interface Checked {
  readonly seconds: number;
  readonly tests: number;
}

function check({ checks: scripts }: Candidate, folder: string, env: NodeJS.ProcessEnv): Checked {
  const runs = scripts.map((script) => timed(['npm', 'run', script], folder, env));
  return {
    seconds: runs.reduce((sum, { seconds }) => sum + seconds, 0),
    tests: Math.max(...runs.map(({ output }) => testsIn(output))),
  };
}

function timed(command: Command, cwd: string, env: NodeJS.ProcessEnv) {
  const begun = performance.now();
  const output = runProgram(command, cwd, env);
  return { seconds: (performance.now() - begun) / 1000, output };
}

/** Vitest ends with `Tests  12 passed`, Node's own runner with `ℹ tests 12` or, without a terminal, `# tests 12`. */
function testsIn(output: string): number {
  return Number(/^[#ℹ ]*tests\s+(\d+)/im.exec(stripVTControlCharacters(output))?.[1] ?? 0);
}
