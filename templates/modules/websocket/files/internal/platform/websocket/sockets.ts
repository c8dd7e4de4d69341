import { Histogram, type Registry } from '@prometheus-io/client';
import type { Static, TSchema } from 'typebox';
import {
  type Envelope,
  type ErrorPayload,
  type Subscribed,
  maxTopicLength,
} from '../../../pkg/client/websocket/envelope.ts';
import { Context, current, outOfTime, parseTrace, runWith } from '../../../pkg/context/index.ts';
import { invalidArgument, permissionDenied, unauthenticated } from '../../../pkg/errors/index.ts';
import type { Tracing } from '../app/tracing.ts';
import { type Principal, principalKey, traceOf } from '../http/requestContext.ts';
import { type Identity, missingFrom, scopesOf } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import { type Hub, channelOf } from './hub.ts';
import {
  type MessageDefinition,
  ack,
  checked,
  errorPayload,
  failure,
  nameOf,
  parseEnvelope,
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
  /** The resource that it is about. When a module authenticates callers, a subscriber must have its scope to read. */
  readonly resource?: string;
  /** Decides about one subscriber. */
  readonly permit?: (peer: Peer, name: string) => boolean;
}

/** What a handler gets besides the payload. Id, trace and deadline are in `current()`. */
export interface Received {
  readonly peer: Peer;
  readonly envelope: Envelope;
}

/** Handles messages of one kind. The sender gets errors as it would by HTTP. */
export type Handler<Payload extends TSchema, Response extends TSchema | undefined> = (
  payload: Static<Payload>,
  received: Received,
) => Answer<Response> | Promise<Answer<Response>>;

/** The payload of the answer, if the definition has one. */
export type Answer<Response extends TSchema | undefined> = Response extends TSchema ? Static<Response> : void;

export interface SocketsOptions {
  readonly hub: Hub;
  readonly relay: Relay;
  readonly identity: Identity;
  readonly log: Logger;
  readonly tracing: Tracing;
  readonly registry: Registry;
  readonly errors: ErrorCounts;
  /** Milliseconds for a message whose sender does not ask for less. */
  readonly deadlineMs: number;
}

interface Entry {
  readonly definition: MessageDefinition;
  /** Checks the payload, and gives the payload of the answer. */
  readonly handle: (received: Received) => unknown;
}

/** What other modules use: handles the messages of clients, declares topics, publishes to clients. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #topics = new Map<string, Topic>();
  /** By type and version. */
  readonly #entries = new Map<string, Entry>();
  readonly #durations: Histogram<'type' | 'outcome'>;

  /** @param options what it works with */
  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#durations = new Histogram({
      name: 'websocket_message_duration_seconds',
      help: 'Seconds that messages of clients took to be handled, by type and outcome',
      labelNames: ['type', 'outcome'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
      registers: [options.registry],
    });
    const { hub } = options;
    this.on(ping, () => ({ offset: hub.offset }));
    this.on(subscribe, ({ topics, after }, { peer }) => this.#subscribe(peer, topics, after));
    this.on(unsubscribe, ({ topic }, { peer }) => hub.leave(peer, channelOf('topic', topic)));
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
    this.#entries.set(name, {
      definition,
      handle(received) {
        permitScopes(received.peer.caller, definition.scopes ?? []);
        const { payload } = received.envelope;
        const message = `The payload of ${name} is not valid.`;
        return handler(checked(definition.payload, payload, 'invalid_payload', message), received);
      },
    });
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

  /**
   * Handles a message.
   * @param peer the sender
   * @param text the message
   * @returns the text of the answer, whatever happens
   */
  async answer(peer: Peer, text: string): Promise<string> {
    let envelope: Envelope | undefined;
    try {
      envelope = parseEnvelope(text);
      const name = nameOf(envelope);
      const entry = this.#entries.get(name);
      if (entry === undefined) throw invalidArgument(`There is no message ${name}.`, { code: 'unknown_type' });
      const received = { peer, envelope };
      return await runWith(this.#contextOf(received), () => this.#handle(entry, received));
    } catch (error) {
      return this.#fail(error, envelope);
    }
  }

  #contextOf({ peer: { caller }, envelope }: Received): Context {
    const { tracing, deadlineMs } = this.#options;
    const { msgId, traceparent, timeoutMs = deadlineMs } = envelope;
    const deadline = performance.now() + Math.min(timeoutMs, deadlineMs);
    const context = new Context({ id: msgId, trace: traceOf({ traceparent }, tracing), deadline });
    if (caller !== undefined) context.set(principalKey, caller);
    return context;
  }

  async #handle({ definition, handle }: Entry, received: Received): Promise<string> {
    const { envelope } = received;
    const context = current();
    const begun = performance.now();
    const endSpan = context.trace.sampled ? this.#beginSpan(envelope) : undefined;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(outOfTime(context.id)), context.remainingMs());
    let fault: string | undefined;
    try {
      const payload = await Promise.race([handle(received), late]);
      const correlationId = envelope.msgId;
      const { response: schema } = definition;
      // Throws when the payload has no JSON, such as a bigint.
      return schema
        ? writeEnvelope(definition, payload, { schema, correlationId })
        : writeEnvelope(ack, {}, { correlationId });
    } catch (error) {
      fault = 'internal';
      fault = errorPayload(error).code;
      return this.#fail(error, envelope);
    } finally {
      clearTimeout(timer);
      const outcome = fault === undefined ? 'ok' : 'error';
      this.#durations.observe({ type: definition.type, outcome }, (performance.now() - begun) / 1000);
      endSpan?.({}, fault);
      context.cancel();
    }
  }

  #fail(error: unknown, envelope?: Envelope): string {
    const { errors, log } = this.#options;
    const payload = errorPayload(error);
    const isOurs = payload.code === 'internal';
    errors.count(isOurs ? undefined : payload.code);
    if (isOurs) {
      const subject = current().get(principalKey)?.subject;
      log.error({ err: error, type: envelope?.type, subject }, 'message failed');
    }
    return writeEnvelope(failure, payload, envelope && { correlationId: envelope.msgId });
  }

  /** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
  #beginSpan({ type, msgId, source, traceparent }: Envelope) {
    const attributes = {
      'messaging.system': 'websocket',
      'messaging.operation.type': 'process',
      'messaging.destination.name': type,
      'messaging.message.id': msgId,
      'messaging.client.id': source,
    };
    const parent = parseTrace(traceparent);
    return this.#options.tracing.begin(current(), { name: `process ${type}`, kind: 'consumer', attributes, parent });
  }
}

function permitScopes(caller: Principal | undefined, scopes: readonly string[]): void {
  if (scopes.length === 0) return;
  if (caller === undefined) throw unauthenticated('This needs a token.');
  if (missingFrom(caller, { scopes, roles: [] }) !== undefined) {
    throw permissionDenied('The token does not permit this.', { code: 'insufficient_scope', details: { scopes } });
  }
}
