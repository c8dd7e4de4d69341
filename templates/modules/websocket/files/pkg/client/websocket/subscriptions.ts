import { type Envelope, type Position, isAfter, isTopic } from './envelope.ts';
import type { MessageError } from './errors.ts';

/** Handles what is published. The next message of its channel waits until this one is done. */
export type Listener = (message: Envelope) => void | Promise<void>;

/** Messages of a channel that this client will not get. */
export interface Gap {
  readonly channel: string;
  /** The last one that it got. */
  readonly after: string | undefined;
}

interface Channel {
  readonly listeners: Set<Listener>;
  /** The last message that came. */
  seen: string | undefined;
  /** The last message that every listener is done with. */
  acknowledged: string | undefined;
  /** Ends when all that came is handled. */
  work: Promise<void>;
}

export interface SubscriptionsOptions {
  /** The server no longer has some messages, or has dropped them. */
  readonly gap: (gap: Gap) => void;
  /** A listener has failed; or the server does not grant a channel. */
  readonly failed: (error: unknown) => void;
  /** Asks the server for what comes after the position, if there is a connection. */
  readonly ask: (channel: string, after: string | undefined) => void;
  /** Tells the server that nobody listens any more, if there is a connection. */
  readonly leave: (channel: string) => void;
}

/** The channels of one client, and how far it has come in each. A topic is wanted as long as somebody listens to it. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #channels = new Map<string, Channel>();
  /** They get what is pushed on all channels but topics. */
  readonly #pushed = new Set<Listener>();

  /** @param positions of an earlier client, to go on from; see `positions` */
  constructor(options: SubscriptionsOptions, positions: Readonly<Record<string, string>> = {}) {
    this.#options = options;
    for (const [channel, offset] of Object.entries(positions)) this.#channelOf(channel, offset);
  }

  /** Channel → offset of the last message that was handled: kept somewhere, it lets the next client go on from there. */
  positions(): Record<string, string> {
    const known = [...this.#channels].flatMap(([name, { acknowledged }]) =>
      acknowledged === undefined ? [] : [[name, acknowledged] as const],
    );
    return Object.fromEntries(known);
  }

  /**
   * Of what is wanted, channel → offset of the last message that has come; null where none has. What is pushed comes first: there
   * the server puts the client of its own accord, and behind what it missed unless it is told the offset before.
   */
  resumeFrom(): Record<string, string | null> {
    const wanted = [...this.#channels]
      .filter(([name]) => this.#wants(name))
      .toSorted(([a], [b]) => Number(isTopic(a)) - Number(isTopic(b)));
    return Object.fromEntries(wanted.map(([name, { seen }]) => [name, seen ?? null]));
  }

  /**
   * @param topic channel to listen to
   * @param listener of it
   */
  add(topic: string, listener: Listener): void {
    const wasWanted = this.#wants(topic);
    const { listeners, seen } = this.#channelOf(topic);
    listeners.add(listener);
    if (!wasWanted) this.#options.ask(topic, seen);
  }

  /**
   * @param topic channel that was listened to
   * @param listener of it
   */
  remove(topic: string, listener: Listener): void {
    if (this.#channels.get(topic)?.listeners.delete(listener) !== true || this.#wants(topic)) return;
    this.#channels.delete(topic);
    this.#options.leave(topic);
  }

  /** @param listener of what the server pushes to this client in particular: to its subject, or to its tags */
  addPushed(listener: Listener): void {
    this.#pushed.add(listener);
  }

  /**
   * @param message that was published
   */
  receive(message: Envelope): void {
    const { channel: name = '', offset = '', previous = '' } = message;
    // It has crossed the farewell.
    if (!this.#wants(name)) return;
    const channel = this.#channelOf(name);
    const { seen } = channel;
    // It was sent again.
    if (seen !== undefined && !isAfter(offset, seen)) return;
    if (seen !== undefined && isAfter(previous, seen)) this.#options.gap({ channel: name, after: seen });
    channel.seen = offset;
    const listeners = isTopic(name) ? channel.listeners : this.#pushed;
    channel.work = channel.work.then(() => this.#handle(channel, listeners, message, offset));
  }

  /**
   * The server does not let the client on a channel.
   * @param name of the channel
   * @param error why
   */
  refused(name: string, error: MessageError): void {
    if (this.#channels.delete(name)) this.#options.failed(error);
  }

  /**
   * The server has put the client on a channel.
   * @param name of the channel
   * @param state where the client stands
   */
  joined(name: string, state: Position): void {
    if (!this.#wants(name)) return;
    const channel = this.#channelOf(name);
    // If something came since, the first of it has told.
    if (state.lost && channel.seen !== state.offset) this.#options.gap({ channel: name, after: channel.seen });
    // What was lost will not come; what came is before this.
    if (channel.seen === undefined || state.lost || isAfter(state.offset, channel.seen)) channel.seen = state.offset;
    channel.acknowledged ??= channel.seen;
    if (state.more) this.#options.ask(name, channel.seen);
  }

  async #handle(channel: Channel, listeners: ReadonlySet<Listener>, message: Envelope, offset: string): Promise<void> {
    for (const listener of listeners) {
      try {
        await listener(message);
      } catch (error) {
        this.#options.failed(error);
      }
    }
    channel.acknowledged = offset;
  }

  /** On what is no topic, the server puts its clients of its own accord. */
  #wants(name: string): boolean {
    return !isTopic(name) || (this.#channels.get(name)?.listeners.size ?? 0) > 0;
  }

  #channelOf(name: string, offset?: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel = { listeners: new Set<Listener>(), seen: offset, acknowledged: offset, work: Promise.resolve() };
    this.#channels.set(name, channel);
    return channel;
  }
}
