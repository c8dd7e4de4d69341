import type { DescService } from '@bufbuild/protobuf';
import { type Client, createClient } from '@connectrpc/connect';
import { Http2SessionManager, createGrpcTransport } from '@connectrpc/connect-node';
import type { Retries } from './retry.ts';
import { contextTransport } from './transport.ts';

export { serviceErrorOf } from './errors.ts';
export type { Retries } from './retry.ts';

/** How calls are made. */
export interface ChannelOptions {
  /** Gives the bearer token for each call. */
  readonly token?: () => string | Promise<string>;
  /** For methods that the contract calls idempotent, when the callee is UNAVAILABLE: three tries, 50 ms, unless told. */
  readonly retries?: Retries;
  /** Milliseconds of what the work has left that are kept back from the callee: 10 unless told. */
  readonly overheadMs?: number;
  /** Milliseconds between two pings while calls are open: 30,000 unless told. */
  readonly keepaliveMs?: number;
}

/** A connection to a service by gRPC, opened when it is first needed and again when it is lost. */
export interface Channel {
  /**
   * @param service its contract
   * @returns a typed client: each call takes deadline, cancellation, request id and trace of the work it is part of along, and
   * throws a ServiceError
   */
  readonly client: <Service extends DescService>(service: Service) => Client<Service>;
  /** Closes the connection; calls that are open fail. */
  readonly close: () => void;
}

/**
 * @param baseUrl of the callee, such as `http://orders:50051`
 * @param options how calls are made
 * @returns a channel
 */
export function openChannel(baseUrl: string, options: ChannelOptions = {}): Channel {
  const { token, retries = { attempts: 3, waitMs: 50 }, overheadMs = 10, keepaliveMs = 30_000 } = options;
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: keepaliveMs });
  const inner = createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] });
  const transport = contextTransport(inner, { overheadMs, token, retries });
  return {
    client: (service) => createClient(service, transport),
    close: () => sessionManager.abort(),
  };
}
