import type { BackoffOptions } from './backoff.ts';
import type { SocketClass } from './connection.ts';
import type { Gap } from './subscriptions.ts';

export interface ClientOptions {
  /** `wss://orders.example.com/ws`; without a token in it: URLs end up in logs. */
  readonly url: string;
  /** Gives a bearer token, anew for each connection. It travels as a subprotocol. */
  readonly token?: () => string | Promise<string>;
  /** Stands in the messages as `source`. */
  readonly source?: string;
  /** How many messages may wait to be acknowledged, those sent while offline included; 1000 unless told. */
  readonly queueLimit?: number;
  /** Half a second at first, half a minute at most, unless told. */
  readonly backoff?: BackoffOptions;
  /** Milliseconds that connecting may take; 10,000 unless told. */
  readonly connectTimeoutMs?: number;
  /** `positions()` of an earlier client, to go on from. */
  readonly positions?: Readonly<Record<string, string>>;
  /** That of the browser, or of Node, unless told. */
  readonly webSocket?: SocketClass;
  /** The connection has come or gone. */
  readonly onState?: (state: State) => void;
  /** Messages were lost to this client: it was away for too long, or reads too slowly. */
  readonly onGap?: (gap: Gap) => void;
  /** There is no token, a listener has failed, a channel is not granted, or the server says why it closes. */
  readonly onError?: (error: unknown) => void;
}

/** `waiting`: between two attempts to connect. */
export type State = 'connecting' | 'open' | 'waiting' | 'closed';
