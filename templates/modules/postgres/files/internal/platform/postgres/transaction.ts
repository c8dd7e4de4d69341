import { setTimeout as sleep } from 'node:timers/promises';
import type { IsolationLevel, Kysely, Transaction } from 'kysely';
import { withSignal } from './cancellation.ts';
import { sqlState } from './errors.ts';

export interface TransactionOptions {
  /** `read committed` unless told. Under `serializable` the database finds conflicts itself, and the transaction runs again. */
  readonly isolation?: IsolationLevel;
  /** Tries in all, the first included; 5 unless told. */
  readonly attempts?: number;
  /** Ends the transaction: its statement is cancelled, all is rolled back, and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

/** serialization_failure and deadlock_detected: another transaction was first, and the same one may well pass now. */
const retried = new Set(['40001', '40P01']);
const firstPauseMs = 10;
const longestPauseMs = 1000;

/**
 * Runs a transaction, and runs it again from its start when it lost against another one. The pause before each further try
 * is random between nothing and a limit that doubles ("full jitter", AWS Architecture Blog 2015), so that those who met
 * once do not meet again. A connection that breaks is no reason to try again: the commit may have gone through.
 * @param db where to run it
 * @param run what to do; it may run several times, so it changes nothing but the database
 * @param options isolation, tries, and a signal to end it
 * @param onRetry hears the SQLSTATE before each further try
 * @returns what `run` gave, once committed
 * @throws what `run` threw, after the rollback
 */
export async function transaction<Tables, Value>(
  db: Kysely<Tables>,
  run: (trx: Transaction<Tables>) => Promise<Value>,
  { isolation, attempts = 5, signal }: TransactionOptions = {},
  onRetry: (sqlState: string) => void = () => {},
): Promise<Value> {
  const builder = isolation ? db.transaction().setIsolationLevel(isolation) : db.transaction();
  const once = () => (signal ? withSignal(signal, () => builder.execute(run)) : builder.execute(run));
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await once();
    } catch (error) {
      const state = sqlState(error);
      if (attempt >= attempts || state === undefined || !retried.has(state)) throw error;
      onRetry(state);
      await sleep(Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt));
    }
  }
}
