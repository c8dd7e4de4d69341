import { isAfter, maxChannels, maxTopicLength } from '../../../pkg/client/websocket/envelope.ts';
import { permissionDenied } from '../../../pkg/errors/index.ts';
import { type Identity, scopesOf } from '../identity/module.ts';
import type { Settings } from './config.ts';
import { permitScopes } from './dispatch.ts';
import { type MessageDefinition, ProtocolError, lost, writeEnvelope } from './messages.ts';
import type { WebSocketMetrics } from './metrics.ts';
import type { Peer } from './peer.ts';
import type { Follower, Published, Relay } from './relay.ts';

/** What clients can subscribe to. */
export interface Topic {
  /** Such as `orders`. `orders/*` stands for every name that begins with `orders/`. */
  readonly name: string;
  /** Messages that are published there, for `/websocket.json`. */
  readonly messages: readonly MessageDefinition[];
  /** Scopes that a subscriber must have (module auth). */
  readonly scopes?: readonly string[];
  /** The resource that it is about. When a module authenticates callers, a subscriber must have its scope to read. */
  readonly resource?: string;
  /** Decides about one subscriber. */
  readonly permit?: (peer: Peer, name: string) => boolean;
}

/**
 * Names a channel. JSON keeps apart names that Redis would not, such as those that are not well-formed.
 * @param kind of the channel
 * @param name of a topic, tag or subject
 * @returns the key of the channel
 */
export function channelOf(kind: 'topic' | 'tag' | 'subject', name: string): string {
  return JSON.stringify([kind, name]);
}

/** A message as subscribers get it: the same bytes for all of them. */
interface Kept {
  readonly channel: string;
  readonly offset: string;
  readonly bytes: Buffer;
  readonly size: number;
}

/** Approximate size of what is kept of a message besides its bytes. */
const keptBytes = 200;

/** Topics, tags and subjects are channels: knows the clients on each channel and the latest messages of all. */
export class Channels implements Follower {
  readonly #settings: Settings;
  readonly #metrics: WebSocketMetrics;
  readonly #isForeign: Relay['isForeign'];
  readonly #identity: Identity;
  readonly #topics = new Map<string, Topic>();
  readonly #peers = new Map<string, Set<Peer>>();
  /** In order of their offsets. */
  #kept: Kept[] = [];
  #keptBytes = 0;
  /** Messages up to this position are no longer kept. */
  #origin = '0-0';
  #offset = '0-0';

  /**
   * @param settings of the module
   * @param metrics counts messages
   * @param isForeign of the relay
   * @param identity knows whether callers are authenticated
   */
  constructor(settings: Settings, metrics: WebSocketMetrics, isForeign: Relay['isForeign'], identity: Identity) {
    this.#settings = settings;
    this.#metrics = metrics;
    this.#isForeign = isForeign;
    this.#identity = identity;
  }

  /** Position of the latest message. */
  get offset(): string {
    return this.#offset;
  }

  /**
   * Declares a topic.
   * @param topic that clients can subscribe to
   * @throws {Error} when it is declared already, or its name is too long
   */
  declare(topic: Topic): void {
    if (topic.name.length > maxTopicLength) throw new RangeError(`The name of topic "${topic.name}" is too long`);
    if (this.#topics.has(topic.name)) throw new Error(`Topic "${topic.name}" is declared twice`);
    this.#topics.set(topic.name, topic);
  }

  /** @returns all declared topics */
  topics(): Topic[] {
    return [...this.#topics.values()];
  }

  /**
   * Finds the declaration of a topic.
   * @param name such as `orders/7`
   * @returns the topic of this name, or else the longest `<prefix>/*` that fits
   */
  topicOf(name: string): Topic | undefined {
    const exact = this.#topics.get(name);
    if (exact !== undefined || name.length > maxTopicLength) return exact;
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const wider = this.#topics.get(`${name.slice(0, end)}/*`);
      if (wider !== undefined) return wider;
    }
    return undefined;
  }

  /**
   * Subscribes a client to a topic.
   * @param peer the client
   * @param name of the topic
   * @throws {ProtocolError | ServiceError} when there is no such topic, the client may not have it, or has too many
   */
  subscribe(peer: Peer, name: string): void {
    const topic = this.topicOf(name);
    if (topic === undefined) throw new ProtocolError('topic_unknown', `There is no topic "${name}".`);
    const ofResource =
      topic.resource === undefined || this.#identity.authenticate === undefined ? [] : [scopesOf(topic.resource).read];
    permitScopes(peer.caller, [...(topic.scopes ?? []), ...ofResource]);
    if (topic.permit?.(peer, name) === false) throw permissionDenied(`You may not subscribe to topic "${name}".`);
    this.join(peer, channelOf('topic', name));
  }

  /**
   * Puts a client on a channel: it gets what is published from now on.
   * @param peer the client; nothing happens when it has disconnected
   * @param channel key of the channel
   * @throws {ProtocolError} when the client is on too many
   */
  join(peer: Peer, channel: string): void {
    if (peer.isGone || peer.channels.has(channel)) return;
    if (peer.channels.size >= maxChannels)
      throw new ProtocolError('channel_limit', `The limit is ${maxChannels} topics.`);
    const peers = this.#peers.get(channel) ?? new Set();
    this.#peers.set(channel, peers.add(peer));
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
    const replayBytes = this.#settings.WEBSOCKET_BUFFER_LIMIT_BYTES / 2;
    if (isAfter(this.#origin, after) || this.#isForeign?.(after) === true) return true;
    let index = this.#kept.length;
    const missed: Buffer[] = [];
    let bytes = 0;
    // Backwards: what was missed is a small part of what is kept.
    for (
      let kept = this.#kept[--index];
      kept !== undefined && isAfter(kept.offset, after);
      kept = this.#kept[--index]
    ) {
      if (!peer.channels.has(kept.channel)) continue;
      bytes += kept.bytes.length;
      if (bytes > replayBytes) return true;
      missed.push(kept.bytes);
    }
    for (const each of missed.toReversed()) peer.sendShared(each);
    this.#metrics.delivered.inc(missed.length);
    return false;
  }

  readonly begun = (origin: string): void => {
    this.#kept = [];
    this.#keptBytes = 0;
    this.#origin = origin;
    this.#offset = origin;
    const peers = new Set([...this.#peers.values()].flatMap((each) => [...each]));
    for (const peer of peers) peer.send(writeEnvelope(lost, { offset: origin }));
  };

  readonly published = ({ channel, offset, text }: Published): void => {
    const bytes = Buffer.from(`{"offset":"${offset}",${text.slice(1)}`);
    this.#offset = offset;
    this.#keep({ channel, offset, bytes, size: bytes.length + channel.length + keptBytes });
    this.#metrics.published.inc();
    const peers = this.#peers.get(channel);
    if (peers === undefined) return;
    for (const peer of peers) peer.sendShared(bytes);
    this.#metrics.delivered.inc(peers.size);
  };

  /** Drops the oldest messages an eighth of the limit at a time, since that moves all others. */
  #keep(message: Kept): void {
    const { WEBSOCKET_RETAINED_BYTES: retainedBytes } = this.#settings;
    this.#kept.push(message);
    this.#keptBytes += message.size;
    if (this.#keptBytes <= retainedBytes) return;
    let dropped = 0;
    for (const { size, offset } of this.#kept) {
      if (this.#keptBytes <= retainedBytes * 0.875) break;
      this.#keptBytes -= size;
      this.#origin = offset;
      dropped += 1;
    }
    this.#kept.splice(0, dropped);
  }
}
