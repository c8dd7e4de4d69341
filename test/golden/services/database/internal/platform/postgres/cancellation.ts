import { background, current, runWith } from '../../../pkg/context/index.ts';

/**
 * Runs some work whose queries end when a signal is aborted, besides at the end of the request it is part of: those not yet
 * sent are refused, the one under way is cancelled on the server. The embedded database cannot interrupt a query; there it
 * ends first.
 * @param signal what ends the queries, with its reason
 * @param work what to run
 * @returns what the work gives
 */
export async function withSignal<Value>(signal: AbortSignal, work: () => Promise<Value>): Promise<Value> {
  const context = current().child();
  const end = (): void => context.cancel(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await runWith(context, work);
  } finally {
    signal.removeEventListener('abort', end);
    context.cancel();
  }
}

/** @returns the signal of the request, or of the work, that this is called from, if there is one */
export function currentSignal(): AbortSignal | undefined {
  const context = current();
  return context === background ? undefined : context.signal;
}
