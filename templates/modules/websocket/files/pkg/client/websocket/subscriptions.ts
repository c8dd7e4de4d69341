import { type Envelope, type Position, isAfter } from './envelope.ts';
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
  /** Asks the server for what comes after the position. */
  readonly ask: (channel: string, after: string | undefined) => void;
}

/** The channels of one client, and how far it has come in each. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #channels = new Map<string, Channel>();
  /** Gets what is pushed to a channel that nobody listens to by name. */
  readonly #others = new Set<Listener>();

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

  /** Channel → offset of the last message that has come; null where none has. */
  resumeFrom(): Record<string, string | null> {
    return Object.fromEntries(Array.from(this.#channels, ([name, { seen }]) => [name, seen ?? null]));
  }

  /**
   * @param channel to listen to
   * @param listener of it
   * @returns whether the server has to be asked for it
   */
  add(channel: string, listener: Listener): boolean {
    const isNew = !this.#channels.has(channel);
    this.#channelOf(channel).listeners.add(listener);
    return isNew;
  }

  /**
   * @param channel that was listened to
   * @param listener of it
   * @returns whether it was the last one
   */
  remove(channel: string, listener: Listener): boolean {
    const known = this.#channels.get(channel);
    if (known?.listeners.delete(listener) !== true || known.listeners.size > 0) return false;
    return this.#channels.delete(channel);
  }

  /** @param listener of what the server pushes to this client in particular: to its subject, or to its tags */
  addOther(listener: Listener): void {
    this.#others.add(listener);
  }

  /**
   * @param message that was published
   */
  receive(message: Envelope): void {
    const { channel: name = '', offset = '', previous = '' } = message;
    const channel = this.#channelOf(name);
    const { seen } = channel;
    // It was sent again.
    if (seen !== undefined && !isAfter(offset, seen)) return;
    if (seen !== undefined && isAfter(previous, seen)) this.#options.gap({ channel: name, after: seen });
    channel.seen = offset;
    channel.work = channel.work.then(() => this.#handle(channel, message, offset));
  }

  /**
   * The server does not let the client on a channel.
   * @param name of the channel
   * @param error why
   */
  refused(name: string, error: MessageError): void {
    this.#channels.delete(name);
    this.#options.failed(error);
  }

  /**
   * The server has put the client on a channel.
   * @param name of the channel
   * @param state where the client stands
   */
  joined(name: string, state: Position): void {
    const channel = this.#channelOf(name);
    // If something came since, the first of it has told.
    if (state.lost && channel.seen !== state.offset) this.#options.gap({ channel: name, after: channel.seen });
    // What was lost will not come; what came is before this.
    if (channel.seen === undefined || state.lost || isAfter(state.offset, channel.seen)) channel.seen = state.offset;
    channel.acknowledged ??= channel.seen;
    if (state.more) this.#options.ask(name, channel.seen);
  }

  async #handle(channel: Channel, message: Envelope, offset: string): Promise<void> {
    const listeners = channel.listeners.size > 0 ? channel.listeners : this.#others;
    for (const listener of listeners) {
      try {
        await listener(message);
      } catch (error) {
        this.#options.failed(error);
      }
    }
    channel.acknowledged = offset;
  }

  #channelOf(name: string, offset?: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const channel = { listeners: new Set<Listener>(), seen: offset, acknowledged: offset, work: Promise.resolve() };
    this.#channels.set(name, channel);
    return channel;
  }
}
