import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import {
  type Opened,
  type Position,
  type ErrorPayload,
  control,
  topicChannel,
} from '../../../pkg/client/websocket/envelope.ts';
import { current } from '../../../pkg/context/index.ts';
import { type Channels, type Topic, subjectChannel, tagChannel } from './channels/channels.ts';
import { writeEnvelope } from './messages/envelope.ts';
import { payloadOf } from './messages/faults.ts';
import { type OpenRequest, controlMessages, joined, open, ping, subscribe, unsubscribe } from './messages/control.ts';
import type { MessageDefinition } from './messages/definitions.ts';
import type { Peer } from './connections/peer.ts';
import type { Handler, Registry } from './messages/registry.ts';
import type { Relay } from './channels/relay.ts';
import type { Session, Sessions } from './messages/sessions.ts';

export interface SocketsOptions {
  readonly registry: Registry;
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly relay: Relay;
  /** What a client that opens its session is told of them. */
  readonly limits: Pick<Required<Opened>, 'heartbeatMs' | 'window' | 'messageLimit' | 'messagesPerSecond'>;
}

/** Whom a message is for, besides those who subscribe to a topic. */
export type Target = { readonly subject: string } | { readonly tag: string };

/** What other modules use: kinds of messages and topics, and what is pushed to clients. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #opened: ((peer: Peer) => void)[] = [];
  /** Definition → its compiled payload. */
  readonly #validators = new WeakMap<MessageDefinition, ReturnType<typeof Compile>>();
  /** What is pushed to subjects and tags, for the document of messages. */
  readonly #pushed = new Set<MessageDefinition>();

  /** @param options its parts */
  constructor(options: SocketsOptions) {
    this.#options = options;
    const { registry, channels } = options;
    registry.add(open, (payload, { peer }) => this.#open(peer, payload));
    registry.add(ping, () => ({}));
    registry.add(subscribe, ({ channel, after }, { peer }) => {
      channels.permit(peer, channel);
      return channels.join(peer, channel, after);
    });
    registry.add(unsubscribe, ({ channel }, { peer }) => {
      channels.leave(peer, channel);
      return {};
    });
  }

  /**
   * Takes messages of one kind from now on.
   * @param definition of the message
   * @param handler of it; what it throws, the sender learns as it would by HTTP
   */
  on<Payload extends TSchema, Response extends TSchema | undefined>(
    definition: MessageDefinition<Payload, Response>,
    handler: Handler<Payload, Response>,
  ): void {
    this.#options.registry.add(definition, handler);
  }

  /**
   * Lets clients subscribe to a topic from now on.
   * @param topic its name, messages, and who may
   */
  topic(topic: Topic): void {
    this.#options.channels.declare(topic);
  }

  /**
   * Does something with each client that has opened its session, such as tagging it.
   * @param listener called before the client is told that it is open
   */
  onOpen(listener: (peer: Peer) => void): void {
    this.#opened.push(listener);
  }

  /**
   * Says of a client what it is: whatever is pushed to the tag reaches it as long as it is connected, and what it missed when it
   * comes back.
   * @param peer of `onOpen` or of a handler
   * @param tag such as `tenant:7`
   */
  tag(peer: Peer, tag: string): void {
    peer.tags.add(tag);
    this.#put(peer, tagChannel(tag));
  }

  /**
   * Pushes to everybody who subscribes to a topic, on all instances.
   * @param topic a name that was declared
   * @param definition of the message
   * @param payload of it
   * @returns once it is kept for those that come back
   * @throws {ServiceError} 503 when it cannot be
   * @throws {RangeError} when the topic's name is longer than 384 characters, encoded
   */
  publish<Payload extends TSchema>(
    topic: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    if (!this.#options.channels.isDeclared(topic)) throw new Error(`Topic "${topic}" was not declared`);
    return this.#publish(topicChannel(topic), definition, payload);
  }

  /**
   * Pushes to all connections of one subject, or to all clients with one tag, on all instances.
   * @param target whom
   * @param definition of the message
   * @param payload of it
   * @returns once it is kept for those that come back
   * @throws {ServiceError} 503 when it cannot be
   */
  push<Payload extends TSchema>(
    target: Target,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    this.#pushed.add(definition);
    return this.#publish(
      'tag' in target ? tagChannel(target.tag) : subjectChannel(target.subject),
      definition,
      payload,
    );
  }

  /**
   * Says beforehand what `push` will push, or `Peer.request` ask, so that it stands in the document of messages.
   * @param definitions of those messages
   */
  pushes(...definitions: readonly MessageDefinition[]): void {
    for (const definition of definitions) this.#pushed.add(definition);
  }

  /** @returns every kind of message that goes either way, each once; those of the protocol first */
  definitions(): MessageDefinition[] {
    const { registry, channels } = this.#options;
    const published = channels.topics().flatMap(({ messages }) => messages);
    return [...new Set([...controlMessages, ...registry.definitions(), ...published, ...this.#pushed])];
  }

  /** All topics. */
  topics(): Topic[] {
    return this.#options.channels.topics();
  }

  /**
   * @param peer whose first message has come
   * @param type of that message
   * @returns its session; a client that does not open one gets one all the same, and can resume none
   */
  sessionOf(peer: Peer, type: string): Session {
    peer.session ??= this.#options.sessions.create(peer);
    if (!peer.isOpen && type !== control.open) this.#open(peer, {});
    return peer.session;
  }

  /** A connection has ended. */
  closed(peer: Peer): void {
    this.#options.channels.leaveAll(peer);
    if (peer.session?.peer === peer) this.#options.sessions.leave(peer.session);
  }

  #open(peer: Peer, { sessionId, channels = {} }: OpenRequest): Required<Opened> {
    const session = this.sessionOf(peer, control.open);
    const resumed = sessionId !== undefined && !peer.isOpen ? this.#resume(peer, session, sessionId) : undefined;
    peer.positions = new Map(Object.entries(channels).map(([channel, offset]) => [channel, offset ?? undefined]));
    if (!peer.isOpen) this.#begin(peer);
    const states: Record<string, Position | ErrorPayload> = {};
    for (const [channel, offset] of Object.entries(channels)) {
      if (peer.channels.has(channel)) continue;
      try {
        this.#options.channels.permit(peer, channel);
        states[channel] = this.#options.channels.join(peer, channel, offset ?? undefined);
      } catch (error) {
        states[channel] = payloadOf(error);
      }
    }
    return {
      sessionId: (resumed ?? session).id,
      resumed: resumed !== undefined,
      ...this.#options.limits,
      channels: states,
    };
  }

  /** What is put on by us comes before what the client asks for itself. */
  #begin(peer: Peer): void {
    peer.isOpen = true;
    if (peer.caller !== undefined) this.#put(peer, subjectChannel(peer.caller.subject));
    for (const listener of this.#opened) listener(peer);
  }

  #resume(peer: Peer, fresh: Session, id: string): Session | undefined {
    const session = this.#options.sessions.resume(id, peer);
    if (session === undefined) return undefined;
    this.#options.sessions.discard(fresh);
    // A connection that is half open, or a second window.
    const former = session.peer;
    session.peer = peer;
    peer.session = session;
    if (former !== undefined && former !== peer) former.replace();
    return session;
  }

  #put(peer: Peer, channel: string): void {
    if (peer.channels.has(channel)) return;
    const position = this.#options.channels.join(peer, channel, peer.positions.get(channel));
    peer.send(writeEnvelope(joined.type, joined.version, { channel, position }));
  }

  #publish<Payload extends TSchema>(
    channel: string,
    definition: MessageDefinition<Payload>,
    payload: Static<Payload>,
  ): Promise<void> {
    const { type, version } = definition;
    const validator = this.#validators.get(definition) ?? Compile(definition.payload);
    this.#validators.set(definition, validator);
    if (!validator.Check(payload)) {
      const [fault] = validator.Errors(payload);
      throw new Error(
        `The payload of "${type}" ${version} is not valid at "${fault?.instancePath}": ${fault?.message}`,
      );
    }
    const { trace } = current();
    return this.#options.relay.publish(channel, writeEnvelope(type, version, payload, { trace }));
  }
}
