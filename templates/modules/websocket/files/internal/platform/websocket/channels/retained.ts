import { type Position, isAfter } from '../../../../pkg/client/websocket/envelope.ts';
import { placed } from '../messages/envelope.ts';
import type { Published } from './relay.ts';

/** A message as subscribers get it. */
export interface Kept {
  readonly offset: string;
  /** UTF-8, for all subscribers the same bytes. */
  readonly bytes: Buffer;
}

interface Channel {
  readonly messages: Kept[];
  /** Of its last message, or of the beginning. */
  last: string;
  /** Of the last message that is no longer kept. */
  gone: string;
}

/** A part of what is kept, and where it ends. */
export interface Batch {
  readonly messages: readonly Kept[];
  readonly position: Position;
}

/** Channels of which no message is kept any more, only the end. */
const mostChannels = 100_000;

/** The last of what was published, so that who comes back gets what was missed. Bounded by bytes: the oldest goes first. */
export class Retained {
  readonly #limitBytes: number;
  readonly #channels = new Map<string, Channel>();
  /** The channels of all messages kept, oldest first. */
  readonly #order: string[] = [];
  /** How many of `#order` are gone; they are cut off in bulk. */
  #head = 0;
  #bytes = 0;
  readonly #isForeign: (offset: string) => boolean;
  /** Of the last message that was published before anything was known here, or of a channel that is forgotten. */
  #forgotten = '0-0';

  /**
   * @param limitBytes how much is kept
   * @param isForeign of the relay
   */
  constructor(limitBytes: number, isForeign: (offset: string) => boolean = () => false) {
    this.#limitBytes = limitBytes;
    this.#isForeign = isForeign;
  }

  /**
   * @param published in order
   * @returns the message as subscribers get it
   */
  add({ channel: name, offset, text }: Published): Kept {
    const channel = this.#channelOf(name);
    const kept = { offset, bytes: Buffer.from(placed(text, name, offset, channel.last)) };
    channel.last = offset;
    channel.messages.push(kept);
    this.#order.push(name);
    this.#bytes += kept.bytes.length;
    while (this.#bytes > this.#limitBytes) this.#dropOldest();
    return kept;
  }

  /** Everything up to a place is unknown: whoever was before it is told. */
  begin(origin: string): void {
    this.#channels.clear();
    this.#order.length = 0;
    this.#head = 0;
    this.#bytes = 0;
    this.#forgotten = origin;
  }

  /** @returns the place of the last message of a channel, from which a new subscriber goes on */
  lastOf(name: string): string {
    return this.#channels.get(name)?.last ?? this.#forgotten;
  }

  /**
   * @param name of a channel
   * @param after the last message that its subscriber has
   * @param limitBytes of the batch; at least one message is in it
   * @returns what came after
   */
  after(name: string, after: string, limitBytes: number): Batch {
    const channel = this.#channels.get(name);
    const gone = channel?.gone ?? this.#forgotten;
    const lost = isAfter(gone, after) || this.#isForeign(after);
    if (channel === undefined) return { messages: [], position: { offset: this.lastOf(name), lost, more: false } };
    const { messages, last } = channel;
    const start = lost ? 0 : firstAfter(messages, after);
    if (start === messages.length) return { messages: [], position: { offset: last, lost, more: false } };
    let end = start;
    for (let bytes = 0; end < messages.length && (end === start || bytes < limitBytes); end += 1) {
      bytes += messages[end]?.bytes.length ?? 0;
    }
    const batch = messages.slice(start, end);
    return { messages: batch, position: { offset: batch.at(-1)?.offset ?? last, lost, more: end < messages.length } };
  }

  #channelOf(name: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel = { messages: [], last: this.#forgotten, gone: this.#forgotten };
    this.#channels.set(name, channel);
    if (this.#channels.size > mostChannels) this.#forgetOne();
    return channel;
  }

  #dropOldest(): void {
    const channel = this.#channels.get(this.#order[this.#head] ?? '');
    const kept = channel?.messages.shift();
    if (channel !== undefined && kept !== undefined) {
      channel.gone = kept.offset;
      this.#bytes -= kept.bytes.length;
    }
    this.#head += 1;
    if (this.#head < 1024 || this.#head < this.#order.length / 2) return;
    this.#order.splice(0, this.#head);
    this.#head = 0;
  }

  /** The first that has nothing kept: what came on it before now, nobody can tell any more. */
  #forgetOne(): void {
    for (const [name, { messages, last }] of this.#channels) {
      if (messages.length > 0) continue;
      if (isAfter(last, this.#forgotten)) this.#forgotten = last;
      this.#channels.delete(name);
      return;
    }
  }
}

/** By halves: a channel may hold a hundred thousand, and whoever subscribes says after which. */
function firstAfter(messages: readonly Kept[], after: string): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAfter(messages[middle]?.offset ?? '', after)) high = middle;
    else low = middle + 1;
  }
  return low;
}
