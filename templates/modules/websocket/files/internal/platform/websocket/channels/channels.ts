import { createHash } from 'node:crypto';
import {
  type Position,
  channelNameLimit,
  encodeName,
  mostChannels,
  topicChannel,
} from '../../../../pkg/client/websocket/envelope.ts';
import { permissionDenied } from '../../../../pkg/errors/index.ts';
import { ProtocolError } from '../messages/faults.ts';
import { joined } from '../messages/control.ts';
import type { MessageDefinition } from '../messages/definitions.ts';
import { writeEnvelope } from '../messages/envelope.ts';
import type { WebSocketMetrics } from '../metrics.ts';
import type { Peer } from '../connections/peer.ts';
import type { Published } from './relay.ts';
import type { Retained } from './retained.ts';
import { permitScopes } from '../messages/scopes.ts';

/** What clients may subscribe to. */
export interface Topic {
  /** Such as `orders`; with `/*` at its end also all that begins so: `orders/*` is `orders/1`, too. */
  readonly name: string;
  /** What is published there, for the document of messages. */
  readonly messages: readonly MessageDefinition[];
  /** A subscriber must have all of these (module auth). */
  readonly scopes?: readonly string[];
  /** Decides about one subscriber; it throws a ServiceError, or gives false. */
  readonly permit?: (peer: Peer, name: string) => boolean;
}

/** @returns the channel of all clients with a tag */
export function tagChannel(tag: string): string {
  return `tag:${nameOf(tag)}`;
}

/** @returns the channel of all clients of one authenticated subject */
export function subjectChannel(subject: string): string {
  return `subject:${nameOf(subject)}`;
}

/** Nobody chooses how long a subject is: of one that does not fit, or is not well-formed, a hash stands behind `=`, which no encoded name has. */
function nameOf(name: string): string {
  const encoded = name.isWellFormed() ? encodeName(name) : '';
  if (encoded !== '' && encoded.length <= channelNameLimit) return encoded;
  return `=${createHash('sha256').update(name, 'utf16le').digest('base64url')}`;
}

/** Who is on which channel, and what was published there last. Topics, tags and subjects are channels alike. */
export class Channels {
  readonly #retained: Retained;
  readonly #metrics: WebSocketMetrics;
  readonly #peers = new Map<string, Set<Peer>>();
  readonly #topics = new Map<string, Topic>();
  /** Bytes that may be sent to one peer again at a time. */
  readonly #replayBytes: number;

  /**
   * @param retained what was published last
   * @param replayBytes that may be sent to one peer again at a time; the rest it asks for when it has read them
   * @param metrics hears of what is delivered
   */
  constructor(retained: Retained, replayBytes: number, metrics: WebSocketMetrics) {
    this.#retained = retained;
    this.#replayBytes = replayBytes;
    this.#metrics = metrics;
  }

  /**
   * @param topic that clients may subscribe to from now on
   * @throws {Error} when it is there already, or its name is too long
   */
  declare(topic: Topic): void {
    topicChannel(topic.name);
    if (this.#topics.has(topic.name)) throw new Error(`Topic "${topic.name}" is declared twice`);
    this.#topics.set(topic.name, topic);
  }

  /** All topics. */
  topics(): Topic[] {
    return [...this.#topics.values()];
  }

  /**
   * @param name of a topic
   * @returns whether it was declared
   */
  isDeclared(name: string): boolean {
    return this.#topicOf(name) !== undefined;
  }

  /**
   * @param peer who asks
   * @param channel what for
   * @throws {ProtocolError | ServiceError} when there is no such channel, or not for this one
   */
  permit(peer: Peer, channel: string): void {
    const name = decodeName(channel);
    const isOwn = [...peer.tags].some((tag) => tagChannel(tag) === channel);
    if (isOwn || (peer.caller !== undefined && channel === subjectChannel(peer.caller.subject))) return;
    const topic = channel.startsWith('topic:') ? this.#topicOf(name) : undefined;
    if (topic === undefined) throw new ProtocolError('channel_unknown', `There is no channel "${channel}" here.`);
    permitScopes(peer.caller, topic.scopes ?? []);
    if (topic.permit?.(peer, name) === false) throw permissionDenied(`Channel "${channel}" is not for you.`);
  }

  /**
   * Puts a client on a channel, once it has all that came before.
   * @param peer who is permitted
   * @param channel which
   * @param after the last message that it has; without it, only what comes from now on is sent
   * @returns where it stands; when there is `more`, it is not on the channel yet, and asks again
   * @throws {ProtocolError} when it is on too many
   */
  join(peer: Peer, channel: string, after?: string): Position {
    if (peer.isGone) return this.#end(channel);
    if (peer.channels.size >= mostChannels && !peer.channels.has(channel)) {
      throw new ProtocolError('channel_limit', `No more than ${mostChannels} channels.`);
    }
    const position = after === undefined ? this.#end(channel) : this.#replay(peer, channel, after);
    if (position.more) return position;
    const peers = this.#peers.get(channel);
    if (peers === undefined) this.#peers.set(channel, new Set([peer]));
    else peers.add(peer);
    peer.channels.add(channel);
    return position;
  }

  /** Takes a client off a channel. */
  leave(peer: Peer, channel: string): void {
    peer.channels.delete(channel);
    const peers = this.#peers.get(channel);
    peers?.delete(peer);
    if (peers?.size === 0) this.#peers.delete(channel);
  }

  /** Takes a client off all channels. */
  leaveAll(peer: Peer): void {
    for (const channel of peer.channels) this.leave(peer, channel);
  }

  /**
   * Tells a client that messages are lost to it: what it has by now is followed by what comes from now on.
   * @param peer who missed them
   * @param channels where
   */
  tellLost(peer: Peer, channels: Iterable<string>): void {
    for (const channel of channels) {
      if (!peer.channels.has(channel)) continue;
      const position = { ...this.#end(channel), lost: true };
      peer.send(writeEnvelope(joined.type, joined.version, { channel, position }));
    }
  }

  /** What was published up to now may be lost to all. */
  readonly tellAll = (): void => {
    for (const [channel, peers] of this.#peers) for (const peer of peers) this.tellLost(peer, [channel]);
  };

  /** Keeps what was published, and gives it to whoever is on its channel. */
  readonly deliver = (published: Published): void => {
    const { bytes } = this.#retained.add(published);
    this.#metrics.published.inc();
    const peers = this.#peers.get(published.channel);
    if (peers === undefined) return;
    for (const peer of peers) peer.deliver(bytes, published.channel);
    this.#metrics.delivered.inc(peers.size);
  };

  #end(channel: string): Position {
    return { offset: this.#retained.lastOf(channel), lost: false, more: false };
  }

  #replay(peer: Peer, channel: string, after: string): Position {
    const room = this.#replayBytes - peer.bufferedBytes;
    // It has to read first what waits for it: the answer to this comes behind that.
    if (room <= 0) return { offset: after, lost: false, more: true };
    const { messages, position } = this.#retained.after(channel, after, room);
    for (const { bytes } of messages) peer.deliver(bytes, channel);
    this.#metrics.delivered.inc(messages.length);
    return position;
  }

  #topicOf(name: string): Topic | undefined {
    const exact = this.#topics.get(name);
    if (exact !== undefined) return exact;
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
      const wider = this.#topics.get(`${name.slice(0, end)}/*`);
      if (wider !== undefined) return wider;
    }
    return undefined;
  }
}

/** What follows the kind; what is not well-formed is nobody's name. */
function decodeName(channel: string): string {
  try {
    return decodeURIComponent(channel.slice(channel.indexOf(':') + 1));
  } catch {
    return '';
  }
}
