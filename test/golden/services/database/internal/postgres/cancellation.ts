import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<AbortSignal>();

/**
 * Runs some work whose queries end when a signal is aborted: those not yet sent are refused, the one under way is cancelled
 * on the server. The embedded database cannot interrupt a query; there it ends first.
 * @param signal what ends the queries, with its reason
 * @param work what to run
 * @returns what the work gives
 */
export function withSignal<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  return current.run(signal, work);
}

/** @returns the signal of the work this is called from, if it has one */
export function currentSignal(): AbortSignal | undefined {
  return current.getStore();
}
