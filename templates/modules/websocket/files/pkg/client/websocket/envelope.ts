/** The subprotocol that both sides speak (RFC 6455, 1.9). */
export const subprotocol = 'envelope.v2';

/** Prefix of a token that a browser sends as one more subprotocol: a browser cannot set a header, and URLs end up in logs. */
export const tokenPrefix = 'bearer.';

/** Maximum number of topics of one client. */
export const maxTopics = 128;

/** Maximum length of the name of a topic. */
export const maxTopicLength = 256;

/** The shape of every message, in both directions. */
export interface Envelope {
  /** Chosen by the sender. A message that is sent again keeps its id. */
  readonly msgId: string;
  /** When the message was made, in milliseconds since 1970. */
  readonly timestamp: number;
  /** Name of the service or client that made the message. */
  readonly source: string;
  /** Names the schema of the payload, together with the version. */
  readonly type: string;
  readonly version: string;
  readonly payload: unknown;
  /** `msgId` of the message that this one answers. */
  readonly correlationId?: string;
  /** Absent in messages that are published or pushed. */
  readonly direction?: 'request' | 'response';
  /** W3C Trace Context. */
  readonly traceparent?: string;
  /** Milliseconds for which the sender waits. */
  readonly timeoutMs?: number;
  /** Topic of a published message. A message that is pushed to a subject has none. */
  readonly topic?: string;
  /** Position of a published or pushed message in the order of all of them. */
  readonly offset?: string;
}

/** Types of the protocol's own messages. */
export const control = {
  subscribe: 'topic.subscribe',
  unsubscribe: 'topic.unsubscribe',
  /** Server: published messages are lost to this client. */
  lost: 'messages.lost',
  /** Server: a message without an answer was handled. */
  ack: 'ack',
  ping: 'ping',
  /** A message was not handled. */
  error: 'error',
} as const;

/** Version of the protocol's own messages. */
export const controlVersion = '1.0';

/** Codes with which a connection ends (RFC 6455, 7.4). */
export const closeCodes = {
  goingAway: 1001,
  unsupportedData: 1003,
  noCloseFrame: 1006,
  messageTooBig: 1009,
  tokenExpired: 4401,
} as const;

/** Payload of `error`. */
export interface ErrorPayload {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Payload of the answer to `ping`, and of `messages.lost`. */
export interface Position {
  /** The client has every message up to here. */
  readonly offset: string;
}

/** Payload of the answer to `topic.subscribe`. */
export interface Subscribed extends Position {
  /** Whether messages that the client missed are no longer kept. */
  readonly lost: boolean;
  /** Topics that the client may not have, and why. */
  readonly refused: Readonly<Record<string, ErrorPayload>>;
}

/**
 * Compares two positions.
 * @param a `<number>-<number>`
 * @param b another one
 * @returns whether a comes after b
 */
export function isAfter(a: string, b: string): boolean {
  const [aTime = 0, aCount = 0] = a.split('-').map(Number);
  const [bTime = 0, bCount = 0] = b.split('-').map(Number);
  return aTime === bTime ? aCount > bCount : aTime > bTime;
}
