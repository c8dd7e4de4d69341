import type { Static, TSchema } from 'typebox';
import { type ErrorPayload, type Subscribed, maxTopicLength } from '../../../pkg/client/websocket/envelope.ts';
import { current } from '../../../pkg/context/index.ts';
import { invalidArgument, permissionDenied } from '../../../pkg/errors/index.ts';
import { about } from '../app/about.ts';
import { type Identity, scopesOf } from '../identity/module.ts';
import { type DispatchOptions, type Entry, type Handler, answerTo, entryOf, permitScopes } from './dispatch.ts';
import { type Hub, channelOf } from './hub.ts';
import {
  EnvelopeSchema,
  type MessageDefinition,
  assertSent,
  controlMessages,
  errorPayload,
  nameOf,
  ping,
  subscribe,
  unsubscribe,
  writeEnvelope,
} from './messages.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';

/** What clients can subscribe to. */
export interface Topic {
  /** Such as `orders`. `orders/*` stands for every name that begins with `orders/`. */
  readonly name: string;
  /** Messages that are published there, for `/websocket.json`. */
  readonly messages: readonly MessageDefinition[];
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
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #topics = new Map<string, Topic>();
  /** By type and version. */
  readonly #entries = new Map<string, Entry>();

  /** @param options what it works with */
  constructor(options: SocketsOptions) {
    this.#options = options;
    const { hub } = options;
    this.on(ping, () => ({ offset: hub.offset }));
    this.on(subscribe, ({ topics, after }, { peer }) => this.#subscribe(peer, topics, after));
    this.on(unsubscribe, ({ topic }, { peer }) => {
      hub.leave(peer, channelOf('topic', topic));
      return {};
    });
  }

  /**
   * Handles messages of one kind.
   * @param definition of the message
   * @param handler of the message; the sender gets its errors as it would by HTTP
   * @throws {Error} when it is registered already
   */
  on<Payload extends TSchema, Response extends TSchema | undefined>(
    definition: MessageDefinition<Payload, Response>,
    handler: Handler<Payload, Response>,
  ): void {
    const name = nameOf(definition);
    if (this.#entries.has(name)) throw new Error(`Message ${name} is registered twice`);
    this.#entries.set(name, entryOf(definition, handler));
  }

  /**
   * Lets clients subscribe to a topic.
   * @param topic its name, its messages, and who may subscribe
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
   * Pushes to all connections of one subject, on all instances.
   * @param subject of the callers
   * @param definition of the message
   * @param payload of the message
   * @returns once the message is kept for clients that come back
   * @throws {ServiceError} 503 when the message cannot be published now
   */
  push<Payload extends TSchema>(
    subject: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    return this.#publish(channelOf('subject', subject), definition, payload);
  }

  /** Answers a message of a client. */
  readonly answer = (peer: Peer, text: string): Promise<string> => answerTo(this.#entries, peer, text, this.#options);

  /** @returns the JSON Schemas of all messages (draft 2020-12) */
  describe(): Readonly<Record<string, unknown>> {
    const topics = [...this.#topics.values()];
    const definitions = new Set([
      ...controlMessages,
      ...Array.from(this.#entries.values(), ({ definition }) => definition),
      ...topics.flatMap(({ messages }) => messages),
    ]);
    return {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: `Messages of ${about.name}`,
      envelope: EnvelopeSchema,
      messages: Object.fromEntries(Array.from(definitions, (each) => [nameOf(each), each])),
      topics: Object.fromEntries(topics.map(({ name, messages }) => [name, messages.map(nameOf)])),
    };
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

  #publish(channel: string, definition: MessageDefinition, payload: unknown, topic?: string): Promise<void> {
    assertSent(`The payload of ${nameOf(definition)}`, definition.payload, payload);
    const { trace } = current();
    return this.#options.relay.publish(channel, writeEnvelope(definition, payload, { topic, trace }));
  }
}
