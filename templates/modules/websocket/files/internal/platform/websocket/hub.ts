import { Counter, type Registry } from '@prometheus-io/client';
import { isAfter, maxTopics } from '../../../pkg/client/websocket/envelope.ts';
import { invalidArgument } from '../../../pkg/errors/index.ts';
import { lost, writeEnvelope } from './messages.ts';
import { type Peer, maxUnreadBytes } from './peer.ts';

/** Bytes of messages that are kept for clients that come back. */
const maxKeptBytes = 16_777_216;
/** Approximate memory of what is kept of a message besides its bytes. */
const keptBytes = 300;
/** Bytes that are sent again to one client. The other half is for what is published meanwhile. */
const maxReplayBytes = maxUnreadBytes / 2;

/** A message as subscribers get it: the same bytes for all of them. */
interface Kept {
  readonly channel: string;
  readonly offset: string;
  readonly bytes: Buffer;
}

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
export class Hub {
  readonly #peers = new Map<string, Set<Peer>>();
  /** In order of their offsets. */
  #kept: Kept[] = [];
  #keptBytes = 0;
  /** Messages up to this position are no longer kept. */
  #origin = '0-0';
  #offset = '0-0';
  #isAlone = false;
  readonly #published: Counter;
  readonly #delivered: Counter;

  /** @param registry gets the metrics */
  constructor(registry: Registry) {
    const counter = (name: string, help: string): Counter => new Counter({ name, help, registers: [registry] });
    this.#published = counter('websocket_published_total', 'Published messages that this instance received');
    this.#delivered = counter('websocket_delivered_total', 'Published messages sent to clients, counted per client');
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
    if (missed.reduce((sum, { bytes }) => sum + bytes.length, 0) > maxReplayBytes) return true;
    for (const { bytes } of missed) peer.send(bytes);
    this.#delivered.inc(missed.length);
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

  /**
   * Forgets all messages, and says so to the clients: what was published before `origin` is unknown to this instance.
   * @param origin position after which messages come
   * @param isAlone false when a client may have got later messages from another instance
   */
  begin(origin: string, isAlone: boolean): void {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#origin = origin;
    this.#offset = origin;
    this.#isAlone = isAlone;
    const peers = new Set([...this.#peers.values()].flatMap((each) => [...each]));
    for (const peer of peers) peer.send(writeEnvelope(lost, { offset: origin }));
  }

  /**
   * Sends a message to the clients on its channel. Messages come in the order of their offsets.
   * @param channel key of the channel
   * @param offset `<number>-<number>`, ascending
   * @param text the envelope
   */
  deliver(channel: string, offset: string, text: string): void {
    const bytes = Buffer.from(`{"offset":"${offset}",${text.slice(1)}`);
    this.#offset = offset;
    this.#keep({ channel, offset, bytes });
    const peers = this.#peers.get(channel);
    for (const peer of peers ?? []) peer.send(bytes);
    this.#published.inc();
    this.#delivered.inc(peers?.size ?? 0);
  }

  /** Drops the oldest messages an eighth of the limit at a time, since that moves all others. */
  #keep(message: Kept): void {
    this.#kept.push(message);
    this.#keptBytes += message.bytes.length + keptBytes;
    if (this.#keptBytes <= maxKeptBytes) return;
    let dropped = 0;
    for (const { bytes, offset } of this.#kept) {
      if (this.#keptBytes <= maxKeptBytes * 0.875) break;
      this.#keptBytes -= bytes.length + keptBytes;
      this.#origin = offset;
      dropped += 1;
    }
    this.#kept.splice(0, dropped);
  }
}
