import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** Something that is timed; `before` is not. */
export interface Candidate {
  readonly name: string;
  readonly before?: () => void;
  readonly run: () => void;
}

/** Times of one candidate, in milliseconds. */
export interface Sample {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Times candidates side by side: A B A B …, so that a machine that slows down slows them all.
 * @param candidates what is compared
 * @param rounds how often each is run, after one run that does not count
 * @returns one sample for each candidate, in their order
 */
export function compare(candidates: readonly Candidate[], rounds: number): Sample[] {
  const times = candidates.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, { before, run }] of candidates.entries()) {
      before?.();
      const start = performance.now();
      run();
      const time = performance.now() - start;
      if (round >= 0) times[index]?.push(time);
    }
  }
  return candidates.map(({ name }, index) => {
    const sample = times[index] ?? [];
    return { name, median: median(sample), least: Math.min(...sample), most: Math.max(...sample) };
  });
}

/**
 * @param sample an odd number of values
 * @returns the one in the middle
 */
export function median(sample: readonly number[]): number {
  return sample.toSorted((a, b) => a - b)[Math.floor(sample.length / 2)] ?? 0;
}

/**
 * Runs a program, which must succeed.
 * @param command the program and its arguments
 * @param cwd where
 * @param env variables besides the present ones
 * @returns its standard output
 * @throws Error with its output when it exits with another code than 0
 */
export function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}
