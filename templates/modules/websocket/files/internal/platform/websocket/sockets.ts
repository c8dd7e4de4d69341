import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type Envelope,
  type ErrorPayload,
  type Opened,
  control,
  maxTopicLength,
} from '../../../pkg/client/websocket/envelope.ts';
import { current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { type Channels, type Topic, channelOf } from './channels.ts';
import type { Settings } from './config.ts';
import type { Dispatch, Handler } from './dispatch.ts';
import {
  EnvelopeSchema,
  type MessageDefinition,
  type OpenRequest,
  controlMessages,
  errorPayload,
  openSession,
  ping,
  subscribe,
  unsubscribe,
  writeEnvelope,
} from './messages.ts';
import type { Peer } from './peer.ts';
import type { Relay } from './relay.ts';
import type { Sessions } from './sessions.ts';

export interface SocketsOptions {
  readonly dispatch: Dispatch;
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly relay: Relay;
  readonly settings: Settings;
}

/** Maximum number of messages that a client leaves unanswered. */
const maxUnanswered = 64;

/** All connections of one subject, or all clients with one tag. */
export type Target = { readonly subject: string } | { readonly tag: string };

/** What other modules use: registers messages and topics, publishes to clients. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #listeners: ((peer: Peer) => void)[] = [];
  readonly #validators = new WeakMap<MessageDefinition, ReturnType<typeof Compile>>();
  readonly #pushed = new Set<MessageDefinition>();

  /** @param options its parts */
  constructor(options: SocketsOptions) {
    this.#options = options;
    const { dispatch, channels } = options;
    dispatch.on(openSession, (request, { peer }) => this.#open(peer, request));
    dispatch.on(ping, () => ({ offset: channels.offset }));
    dispatch.on(subscribe, ({ topic }, { peer }) => {
      channels.subscribe(peer, topic);
      return { offset: channels.offset };
    });
    dispatch.on(unsubscribe, ({ topic }, { peer }) => {
      channels.leave(peer, channelOf('topic', topic));
      return {};
    });
  }

  /**
   * Handles messages of one kind.
   * @param definition of the message
   * @param handler of the message; the sender gets its errors as it would by HTTP
   */
  on<Payload extends TSchema, Response extends TSchema | undefined>(
    definition: MessageDefinition<Payload, Response>,
    handler: Handler<Payload, Response>,
  ): void {
    this.#options.dispatch.on(definition, handler);
  }

  /**
   * Lets clients subscribe to a topic.
   * @param topic its name, its messages, and who may subscribe
   */
  topic(topic: Topic): void {
    this.#options.channels.declare(topic);
  }

  /**
   * Calls a listener for each client with its first message, before the client gets an answer: the place to tag clients.
   * @param listener to call
   */
  onOpen(listener: (peer: Peer) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Tags a client, until it disconnects. A client that is tagged in `onOpen` gets what was pushed to the tag while it was away.
   * @param peer of `onOpen` or of a handler
   * @param tag such as `tenant:7`
   */
  tag(peer: Peer, tag: string): void {
    this.#options.channels.join(peer, channelOf('tag', tag));
  }

  /**
   * Publishes to all subscribers of a topic, on all instances.
   * @param topic a declared name
   * @param definition of the message
   * @param payload of the message
   * @returns once the message is kept for clients that come back
   * @throws {ServiceError} 503 when the message cannot be published now
   * @throws {RangeError} when the name is longer than 256 characters
   */
  publish<Payload extends TSchema>(
    topic: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    if (topic.length > maxTopicLength) throw new RangeError(`The name of topic "${topic}" is too long`);
    if (this.#options.channels.topicOf(topic) === undefined) throw new Error(`Topic "${topic}" is not declared`);
    return this.#publish(channelOf('topic', topic), definition, payload, topic);
  }

  /**
   * Pushes to all connections of one subject, or to all clients with one tag, on all instances.
   * @param target subject or tag
   * @param definition of the message
   * @param payload of the message
   * @returns once the message is kept for clients that come back
   * @throws {ServiceError} 503 when the message cannot be published now
   */
  push<Payload extends TSchema>(
    target: Target,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    const channel = 'tag' in target ? channelOf('tag', target.tag) : channelOf('subject', target.subject);
    return this.#publish(channel, definition, payload);
  }

  /**
   * Adds messages to `/websocket.json` that are pushed to subjects and tags, or sent by `Peer.request`.
   * @param definitions of the messages
   */
  pushes(...definitions: readonly MessageDefinition[]): void {
    for (const definition of definitions) this.#pushed.add(definition);
  }

  /** @returns the JSON Schemas of all messages (draft 2020-12) */
  describe(): Readonly<Record<string, unknown>> {
    const topics = this.#options.channels.topics();
    const definitions = new Set([
      ...controlMessages,
      ...this.#options.dispatch.definitions(),
      ...topics.flatMap(({ messages }) => messages),
      ...this.#pushed,
    ]);
    return {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: `Messages of ${about.name}`,
      envelope: EnvelopeSchema,
      messages: Object.fromEntries(Array.from(definitions, (each) => [nameOf(each), each])),
      topics: Object.fromEntries(topics.map(({ name, messages }) => [name, messages.map(nameOf)])),
    };
  }

  /** Handles a message of a client. */
  readonly receive = (peer: Peer, envelope: Envelope): Promise<void> | undefined => {
    const { sessions, dispatch } = this.#options;
    peer.session ??= sessions.create(peer);
    // A client that does not open a session gets one that it cannot resume.
    return dispatch.receive(peer, peer.session, envelope, () => {
      if (envelope.type !== control.open) this.#begin(peer);
    });
  };

  /** Cleans up after a connection. */
  closed(peer: Peer): void {
    for (const channel of peer.channels) this.#options.channels.leave(peer, channel);
    if (peer.session?.peer === peer) this.#options.sessions.leave(peer.session);
  }

  #begin(peer: Peer): void {
    if (peer.isOpen) return;
    peer.isOpen = true;
    if (peer.caller !== undefined) this.#options.channels.join(peer, channelOf('subject', peer.caller.subject));
    try {
      for (const listener of this.#listeners) listener(peer);
    } catch (error) {
      // The next message of the client tries again.
      peer.isOpen = false;
      throw error;
    }
  }

  #open(peer: Peer, { sessionId: id, after, topics = [] }: OpenRequest): Opened {
    const { channels, settings } = this.#options;
    const resumed = id !== undefined && !peer.isOpen && this.#resume(peer, id);
    this.#begin(peer);
    const refused = new Map<string, ErrorPayload>();
    for (const topic of topics) {
      try {
        channels.subscribe(peer, topic);
      } catch (error) {
        refused.set(topic, errorPayload(error));
      }
    }
    const lost = after !== undefined && channels.replay(peer, after);
    return {
      sessionId: peer.session?.id ?? '',
      resumed,
      heartbeatMs: settings.WEBSOCKET_HEARTBEAT_MS,
      window: maxUnanswered,
      messageLimit: settings.WEBSOCKET_MESSAGE_LIMIT_BYTES,
      messagesPerSecond: settings.WEBSOCKET_MESSAGES_PER_SECOND,
      offset: channels.offset,
      lost,
      refused: Object.fromEntries(refused),
    };
  }

  #resume(peer: Peer, id: string): boolean {
    const former = this.#options.sessions.resume(id, peer);
    if (former === undefined) return false;
    // Half open, or a second window of the same page.
    if (former !== peer) former.end('session_replaced', 'The session goes on with another connection.');
    return true;
  }

  #publish<Payload extends TSchema>(
    channel: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
    topic?: string,
  ): Promise<void> {
    const validator = this.#validators.get(definition) ?? Compile(definition.payload);
    this.#validators.set(definition, validator);
    if (!validator.Check(payload)) {
      const { type, version } = definition;
      const [fault] = validator.Errors(payload);
      throw new Error(
        `The payload of "${type}" ${version} is not valid at "${fault?.instancePath}": ${fault?.message}`,
      );
    }
    const { trace } = current();
    return this.#options.relay.publish(channel, writeEnvelope(definition, payload, { topic, trace }));
  }
}

function nameOf({ type, version }: MessageDefinition): string {
  return `${type}@${version}`;
}
