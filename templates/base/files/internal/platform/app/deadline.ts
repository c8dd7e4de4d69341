/** Work that was still going on when its time was up. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Runs work under a time limit.
 * @param what names the work in the error
 * @param ms milliseconds it may take
 * @param work gets a signal that aborts when the time is up
 * @returns what the work gives
 * @throws {DeadlineError} at the limit, whether or not the work heeds the signal; otherwise what the work throws
 */
export async function withDeadline<Value>(
  what: string,
  ms: number,
  work: (signal: AbortSignal) => Value | Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  // Not AbortSignal.timeout: its timer does not keep the process alive.
  const timer = setTimeout(() => {
    const error = new DeadlineError(`${what} took longer than ${Math.round(ms)} ms`);
    controller.abort(error);
    reject(error);
  }, ms);
  try {
    return await Promise.race([work(controller.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
