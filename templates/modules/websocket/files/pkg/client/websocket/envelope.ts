/** The subprotocol that both sides speak (RFC 6455, 1.9). */
export const subprotocol = 'envelope.v1';

/** Before a token that a browser sends as a further subprotocol, since it can set no header and a URL is no place for one. */
export const tokenPrefix = 'bearer.';

/** The most characters of a channel behind its kind, `topic:`, say; what is not ASCII counts for as many as `encodeName` makes of it. */
export const channelNameLimit = 384;

/** The most channels of one client, and so of one `session.open`. */
export const mostChannels = 128;

/**
 * @param name whatever people call things; `/` and `:` may stand
 * @returns it as a channel has it
 */
export function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':');
}

const topicPrefix = 'topic:';

/**
 * @param name of a topic
 * @returns the channel on which its messages are
 * @throws {RangeError} when it is too long
 */
export function topicChannel(name: string): string {
  const encoded = encodeName(name);
  if (encoded.length <= channelNameLimit) return `${topicPrefix}${encoded}`;
  throw new RangeError(`The name of topic "${name}" is longer than ${channelNameLimit} characters, encoded.`);
}

/**
 * @param channel of any kind
 * @returns whether clients ask for it; on the others the server puts them
 */
export function isTopic(channel: string): boolean {
  return channel.startsWith(topicPrefix);
}

/** The shape of every message, either way. */
export interface Envelope {
  /** Of the sender's choosing, unique within its session: a repetition carries the same. */
  readonly msgId: string;
  /** When it was made: milliseconds since 1970. */
  readonly timestamp: number;
  /** Who made it: the name of a service or of a client. */
  readonly source: string;
  /** What it is; names the schema of the payload, together with the version. */
  readonly type: string;
  readonly version: string;
  readonly payload: unknown;
  /** `msgId` of what this answers. */
  readonly correlationId?: string;
  /** Whether it asks or answers; neither, when left out. */
  readonly direction?: 'request' | 'response';
  /** W3C Trace Context: what this is part of. */
  readonly traceparent?: string;
  /** Milliseconds for which the sender waits. */
  readonly timeoutMs?: number;
  /** What was published carries its channel, its place in it, and the place before: a client sees when it misses something. */
  readonly channel?: string;
  readonly offset?: string;
  readonly previous?: string;
}

/** What the protocol itself says, as `type`. */
export const control = {
  /** Client, first: who it was before, and where it stopped in each channel. */
  open: 'session.open',
  subscribe: 'channel.subscribe',
  unsubscribe: 'channel.unsubscribe',
  /** Server: a channel that the client was put on. */
  joined: 'channel.joined',
  /** Server: messages that are handled and that need no other answer. */
  ack: 'ack',
  /** Either: is anybody there? */
  ping: 'ping',
  /** Either: a message was not handled; or the connection ends, and why. */
  error: 'error',
} as const;

/** Version of the protocol's own messages. */
export const controlVersion = '1.0';

/** Codes with which a server closes (RFC 6455, 7.4). */
export const closeCodes = {
  goingAway: 1001,
  unsupportedData: 1003,
  tokenExpired: 4401,
  replaced: 4409,
  slowReader: 4413,
  flood: 4429,
} as const;

/** Where a subscriber stands in a channel. */
export interface Position {
  /** Of the last message there is, or of the last of this batch. */
  readonly offset: string;
  /** Whether messages after the offset that was asked for are no longer kept. */
  readonly lost: boolean;
  /** Whether there are more: ask again from `offset`. */
  readonly more: boolean;
}

/** What a server says of an error. */
export interface ErrorPayload {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a server says to a client that opens a session. */
export interface Opened {
  readonly sessionId: string;
  /** Whether the server remembers what it has handled of this session. */
  readonly resumed: boolean;
  /** Milliseconds after which a silent client should ask whether the server is there. */
  readonly heartbeatMs: number;
  /** How many messages the client may leave unacknowledged. */
  readonly window: number;
  /** Bytes of the largest message that the client may send; an older server does not say. */
  readonly messageLimit?: number;
  /** How many messages the client may send a second; nor that. */
  readonly messagesPerSecond?: number;
  readonly channels: Readonly<Record<string, Position | ErrorPayload>>;
}

const offsetPattern = /^(\d{1,16})-(\d{1,16})$/;

/**
 * @param a offset of a channel: `<milliseconds or epoch>-<sequence>`
 * @param b another
 * @returns whether a comes after b
 */
export function isAfter(a: string, b: string): boolean {
  const [, aFirst = '', aSecond = ''] = offsetPattern.exec(a) ?? [];
  const [, bFirst = '', bSecond = ''] = offsetPattern.exec(b) ?? [];
  return Number(aFirst) === Number(bFirst) ? Number(aSecond) > Number(bSecond) : Number(aFirst) > Number(bFirst);
}
