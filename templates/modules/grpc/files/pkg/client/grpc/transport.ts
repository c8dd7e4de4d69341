import type { Transport } from '@connectrpc/connect';
import { current, headerNames, outgoingHeaders } from '../../context/index.ts';
import { serviceErrorOf } from './errors.ts';
import { type Retries, retrying } from './retry.ts';

/** What goes along with each call. */
export interface Along {
  /** Milliseconds of what is left that are kept back from the callee. */
  readonly overheadMs: number;
  /** Gives the bearer token, if there is one. */
  readonly token: (() => string | Promise<string>) | undefined;
  readonly retries: Retries;
}

/**
 * Takes the context along on each call: the callee learns the request's id, its trace and how much time is left, and the call
 * ends when the request does.
 * @param inner carries the calls
 * @param along what goes with them
 * @returns a transport whose errors are ServiceErrors
 */
export function contextTransport(inner: Transport, { overheadMs, token, retries }: Along): Transport {
  async function prepare(signal: AbortSignal | undefined, timeoutMs: number | undefined, init: unknown) {
    const context = current();
    const { [headerNames.timeout]: left, ...headers } = outgoingHeaders(context, overheadMs);
    // Connect's types take it from the DOM's, which there are none of here.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const header = new Headers(init as Readonly<Record<string, string>> | undefined);
    for (const [name, value] of Object.entries(headers)) header.set(name, value);
    if (token !== undefined) header.set('authorization', `Bearer ${await token()}`);
    const ms = Math.min(timeoutMs ?? Infinity, left === undefined ? Infinity : Number(left));
    const signals = signal === undefined ? [context.signal] : [context.signal, signal];
    return { header, signal: AbortSignal.any(signals), timeoutMs: ms === Infinity ? undefined : ms };
  }

  return {
    unary: (method, signal, timeoutMs, init, input, values) =>
      retrying(method, retries, AbortSignal.any([current().signal, ...(signal ? [signal] : [])]), async () => {
        const sent = await prepare(signal, timeoutMs, init);
        try {
          return await inner.unary(method, sent.signal, sent.timeoutMs, sent.header, input, values);
        } catch (error) {
          throw serviceErrorOf(error);
        }
      }),
    async stream(method, signal, timeoutMs, init, input, values) {
      const sent = await prepare(signal, timeoutMs, init);
      try {
        const response = await inner.stream(method, sent.signal, sent.timeoutMs, sent.header, input, values);
        return { ...response, message: translated(response.message) };
      } catch (error) {
        throw serviceErrorOf(error);
      }
    },
  };
}

async function* translated<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message, void> {
  try {
    yield* messages;
  } catch (error) {
    throw serviceErrorOf(error);
  }
}
