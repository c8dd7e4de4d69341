import { isAfter, maxTopics } from '../../../pkg/client/websocket/envelope.ts';
import { invalidArgument } from '../../../pkg/errors/index.ts';
import { lost, writeEnvelope } from './messages.ts';
import type { WebSocketMetrics } from './metrics.ts';
import type { Peer } from './peer.ts';
import type { Follower, Published } from './relay.ts';

export interface HubOptions {
  readonly retainedBytes: number;
  /** Maximum number of bytes that are sent again to one client. */
  readonly replayBytes: number;
  readonly metrics: WebSocketMetrics;
}

/** A message as subscribers get it: the same bytes for all of them. */
interface Kept {
  readonly channel: string;
  readonly offset: string;
  readonly bytes: Buffer;
}

/** Approximate memory of what is kept of a message besides its bytes. */
const keptBytes = 300;

/**
 * Names a channel. JSON keeps apart names that Redis would not, such as those that are not well-formed.
 * @param kind of the channel
 * @param name of a topic or subject
 * @returns the key of the channel
 */
export function channelOf(kind: 'topic' | 'subject', name: string): string {
  return JSON.stringify([kind, name]);
}

/** Topics and subjects are channels: knows the clients on each channel and the latest messages of all. */
export class Hub implements Follower {
  readonly #options: HubOptions;
  readonly #peers = new Map<string, Set<Peer>>();
  /** In order of their offsets. */
  #kept: Kept[] = [];
  #keptBytes = 0;
  /** Messages up to this position are no longer kept. */
  #origin = '0-0';
  #offset = '0-0';
  #isAlone = false;

  /** @param options limits */
  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Position of the latest message. */
  get offset(): string {
    return this.#offset;
  }

  /**
   * Puts a client on a channel: it gets what is published from now on.
   * @param peer the client; nothing happens when it has disconnected
   * @param channel key of the channel
   * @throws {ServiceError} when the client is on too many
   */
  join(peer: Peer, channel: string): void {
    if (!peer.isOpen || peer.channels.has(channel)) return;
    // One more than topics: its subject.
    if (peer.channels.size > maxTopics)
      throw invalidArgument(`The limit is ${maxTopics} topics.`, { code: 'topic_limit' });
    this.#peers.set(channel, (this.#peers.get(channel) ?? new Set()).add(peer));
    peer.channels.add(channel);
  }

  /** Takes a client off a channel. */
  leave(peer: Peer, channel: string): void {
    peer.channels.delete(channel);
    const peers = this.#peers.get(channel);
    peers?.delete(peer);
    if (peers?.size === 0) this.#peers.delete(channel);
  }

  /**
   * Sends a client what it missed on its channels.
   * @param peer the client
   * @param after position of the last message that it has
   * @returns whether some of it is no longer kept, or too much to send again; then nothing is sent
   */
  replay(peer: Peer, after: string): boolean {
    // A later position than the latest one comes from another process.
    if (isAfter(this.#origin, after) || (this.#isAlone && isAfter(after, this.#offset))) return true;
    const missed = this.#kept.slice(this.#firstAfter(after)).filter(({ channel }) => peer.channels.has(channel));
    if (missed.reduce((sum, { bytes }) => sum + bytes.length, 0) > this.#options.replayBytes) return true;
    for (const { bytes } of missed) peer.send(bytes);
    this.#options.metrics.delivered.inc(missed.length);
    return false;
  }

  /** Halves the range until it is found: a client may ask often, and many messages are kept. */
  #firstAfter(after: string): number {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const kept = this.#kept[middle];
      if (kept !== undefined && isAfter(kept.offset, after)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  readonly begun = (origin: string, isAlone: boolean): void => {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#origin = origin;
    this.#offset = origin;
    this.#isAlone = isAlone;
    const peers = new Set([...this.#peers.values()].flatMap((each) => [...each]));
    for (const peer of peers) peer.send(writeEnvelope(lost, { offset: origin }));
  };

  readonly published = ({ channel, offset, text }: Published): void => {
    const bytes = Buffer.from(`{"offset":"${offset}",${text.slice(1)}`);
    this.#offset = offset;
    this.#keep({ channel, offset, bytes });
    const peers = this.#peers.get(channel) ?? [];
    for (const peer of peers) peer.send(bytes);
    this.#options.metrics.published.inc();
    this.#options.metrics.delivered.inc(this.#peers.get(channel)?.size ?? 0);
  };

  /** Drops the oldest messages an eighth of the limit at a time, since that moves all others. */
  #keep(message: Kept): void {
    const { retainedBytes } = this.#options;
    this.#kept.push(message);
    this.#keptBytes += message.bytes.length + keptBytes;
    if (this.#keptBytes <= retainedBytes) return;
    let dropped = 0;
    for (const { bytes, offset } of this.#kept) {
      if (this.#keptBytes <= retainedBytes * 0.875) break;
      this.#keptBytes -= bytes.length + keptBytes;
      this.#origin = offset;
      dropped += 1;
    }
    this.#kept.splice(0, dropped);
  }
}
