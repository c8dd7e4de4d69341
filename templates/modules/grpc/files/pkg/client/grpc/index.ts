import type { DescService } from '@bufbuild/protobuf';
import { type Client, type Transport, createClient } from '@connectrpc/connect';
import { Http2SessionManager, createGrpcTransport } from '@connectrpc/connect-node';
import { current, headerNames, outgoingHeaders } from '../../context/index.ts';
import { retrying, serviceErrorOf } from './retry.ts';

export { serviceErrorOf } from './retry.ts';

/** Milliseconds between two pings while calls are open. */
const pingIntervalMs = 30_000;

/** Options of all calls of a channel. */
export interface ChannelOptions {
  /** Returns the bearer token for each call. */
  readonly token?: () => string | Promise<string>;
}

/** A connection to a gRPC service. It is opened by the first call, and again after it is lost. */
export interface Channel {
  /**
   * @param service its contract
   * @returns a typed client. Each call passes on deadline, cancellation, request id and trace of the current work, and throws
   * a ServiceError
   */
  readonly client: <Service extends DescService>(service: Service) => Client<Service>;
  /** Closes the connection; open calls fail. */
  readonly close: () => void;
}

/**
 * @param baseUrl of the callee, such as `http://orders:50051`
 * @param options of the calls
 * @returns a channel
 */
export function openChannel(baseUrl: string, options: ChannelOptions = {}): Channel {
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs });
  const inner = createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] });
  const transport = contextTransport(inner, options);
  return {
    client: (service) => createClient(service, transport),
    close: () => sessionManager.abort(),
  };
}

/** Adds the context of the current work and the token to each call, and converts errors. */
function contextTransport(inner: Transport, { token }: ChannelOptions): Transport {
  async function prepare(signal: AbortSignal | undefined, timeoutMs: number | undefined, init: unknown) {
    const { [headerNames.timeout]: left, ...headers } = outgoingHeaders(current());
    // Connect uses a type of the DOM, which is not declared here.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const header = new Headers(init as Readonly<Record<string, string>> | undefined);
    for (const [name, value] of Object.entries(headers)) header.set(name, value);
    const ended = signalOf(signal);
    if (token !== undefined) header.set('authorization', `Bearer ${await token()}`);
    const ms = Math.min(timeoutMs ?? Infinity, Number(left ?? Infinity));
    return { header, signal: ended, timeoutMs: ms === Infinity ? undefined : ms };
  }

  return {
    unary: (method, signal, timeoutMs, init, input, values) =>
      retrying(method, signalOf(signal), async () => {
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
        return { ...response, message: withServiceErrors(response.message) };
      } catch (error) {
        throw serviceErrorOf(error);
      }
    },
  };
}

/** The end of the current work, or of the call. */
function signalOf(signal: AbortSignal | undefined): AbortSignal {
  return AbortSignal.any([current().signal, ...(signal ? [signal] : [])]);
}

async function* withServiceErrors<Message>(messages: AsyncIterable<Message>): AsyncGenerator<Message, void> {
  try {
    yield* messages;
  } catch (error) {
    throw serviceErrorOf(error);
  }
}
