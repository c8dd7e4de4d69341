// A process of its own for the tests of generators/io: carries out one act and prints what came of it as JSON.
//   node act.ts <act> <folder> [argument as JSON]
import { exitCodes, SlipwayError } from '../../../../generators/engine/errors.ts';
import type { Change } from '../../../../generators/engine/model.ts';
import { createTree } from '../../../../generators/io/freshTree.ts';
import { withServiceLock } from '../../../../generators/io/lock.ts';
import { commit, recover } from '../../../../generators/io/transaction.ts';
import { readFileInside } from '../../../../generators/io/tree.ts';
import { changesFrom, filesFrom } from './plans.ts';

const [, , act = '', folder = '', argument = 'null'] = process.argv;

const acts: Readonly<Record<string, (value: unknown) => unknown>> = {
  /** What every command that changes a service does. */
  commit: (value) =>
    withServiceLock(folder, () => {
      const recovery = recover(folder);
      const changes: Change[] = changesFrom(value);
      commit(folder, changes);
      return recovery ?? null;
    }),
  recover: () => withServiceLock(folder, () => recover(folder) ?? null),
  createTree: (value) => createTree(folder, filesFrom(value)) ?? null,
  read: (value) => readFileInside(folder, String(value))?.hash ?? null,
  /** Holds the lock until the process is ended. */
  hold: () =>
    withServiceLock(folder, () => {
      process.stdout.write('held\n');
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    }),
  /** Holds the lock for a moment, and says from when to when. */
  holdBriefly: () =>
    withServiceLock(folder, () => {
      const from = Date.now();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
      return { from, to: Date.now() };
    }),
};

try {
  const result = await acts[act]?.(JSON.parse(argument));
  process.stdout.write(`${JSON.stringify(result)}\n`);
} catch (error) {
  // Anything else ends the process with a stack, which the tests do not forgive.
  if (!(error instanceof SlipwayError)) throw error;
  process.stderr.write(`${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = error.exitCode ?? exitCodes.failed;
}
