import type { Static, TSchema } from 'typebox';
import { type ErrorPayload, type Subscribed, maxTopicLength } from '../../../pkg/client/websocket/envelope.ts';
import { current } from '../../../pkg/context/index.ts';
import { invalidArgument, permissionDenied } from '../../../pkg/errors/index.ts';
import { type Identity, scopesOf } from '../identity/module.ts';
import { Dispatch, type DispatchOptions, permitScopes } from './dispatch.ts';
import { type Hub, channelOf } from './hub.ts';
import { type MessageDefinition, errorPayload, ping, subscribe, unsubscribe, writeEnvelope } from './messages.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';

/** What clients can subscribe to. */
export interface Topic {
  /** Such as `orders`. `orders/*` stands for every name that begins with `orders/`. */
  readonly name: string;
  /** The resource that it is about. When a module authenticates callers, a subscriber must have its scope to read. */
  readonly resource?: string;
  /** Decides about one subscriber. */
  readonly permit?: (peer: Peer, name: string) => boolean;
}

export interface SocketsOptions extends DispatchOptions {
  readonly hub: Hub;
  readonly relay: Relay;
  readonly identity: Identity;
}

/** What other modules use: registers messages and topics, publishes to clients. */
export class Sockets extends Dispatch {
  readonly #options: SocketsOptions;
  readonly #topics = new Map<string, Topic>();

  /** @param options what it works with */
  constructor(options: SocketsOptions) {
    super(options);
    this.#options = options;
    const { hub } = options;
    this.on(ping, () => ({ offset: hub.offset }));
    this.on(subscribe, ({ topics, after }, { peer }) => this.#subscribe(peer, topics, after));
    this.on(unsubscribe, ({ topic }, { peer }) => hub.leave(peer, channelOf('topic', topic)));
  }

  /**
   * Lets clients subscribe to a topic.
   * @param topic its name, and who may subscribe
   * @throws {Error} when it is declared already
   */
  topic(topic: Topic): void {
    if (this.#topics.has(topic.name)) throw new Error(`Topic "${topic.name}" is declared twice`);
    this.#topics.set(topic.name, topic);
  }

  /**
   * Publishes to all subscribers of a topic, on all instances.
   * @param topic a declared name
   * @param definition of the message
   * @param payload of the message
   * @returns once the message is kept for clients that come back
   * @throws {ServiceError} 503 when the message cannot be published now
   */
  publish<Payload extends TSchema>(
    topic: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    if (this.#topicOf(topic) === undefined)
      throw new Error(`Topic "${topic}" is not declared, or its name is too long`);
    return this.#publish(channelOf('topic', topic), definition, payload, topic);
  }

  /**
   * Pushes to all connections of one subject, on all instances. Otherwise like `publish`.
   * @param subject of the callers
   * @param definition of the message
   * @param payload of the message
   */
  push<Payload extends TSchema>(
    subject: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    return this.#publish(channelOf('subject', subject), definition, payload);
  }

  #publish(channel: string, definition: MessageDefinition, payload: unknown, topic?: string): Promise<void> {
    const { trace } = current();
    const text = writeEnvelope(definition, payload, { schema: definition.payload, topic, trace });
    return this.#options.relay.publish(channel, text);
  }

  /** The topic of this name, or else the longest `<prefix>/*` that fits. */
  #topicOf(name: string): Topic | undefined {
    if (name.length > maxTopicLength) return undefined;
    let topic = this.#topics.get(name);
    for (let end = name.lastIndexOf('/'); topic === undefined && end > 0; end = name.lastIndexOf('/', end - 1))
      topic = this.#topics.get(`${name.slice(0, end)}/*`);
    return topic;
  }

  #subscribe(peer: Peer, topics: readonly string[], after: string | undefined): Subscribed {
    const { hub } = this.#options;
    if (peer.caller !== undefined) hub.join(peer, channelOf('subject', peer.caller.subject));
    const refused = new Map<string, ErrorPayload>();
    for (const name of topics) {
      try {
        this.#permit(peer, name);
        hub.join(peer, channelOf('topic', name));
      } catch (error) {
        refused.set(name, errorPayload(error));
      }
    }
    const lost = after !== undefined && hub.replay(peer, after);
    return { offset: hub.offset, lost, refused: Object.fromEntries(refused) };
  }

  #permit(peer: Peer, name: string): void {
    const topic = this.#topicOf(name);
    if (topic === undefined) throw invalidArgument(`There is no topic "${name}".`, { code: 'topic_unknown' });
    if (topic.resource !== undefined && this.#options.identity.authenticate !== undefined)
      permitScopes(peer.caller, [scopesOf(topic.resource).read]);
    if (topic.permit?.(peer, name) === false) throw permissionDenied(`You may not subscribe to topic "${name}".`);
  }
}
