import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type Envelope, control } from '../../../pkg/client/websocket/envelope.ts';
import { Context, newSpanId, newTraceId, outOfTime, parseTrace, runWith } from '../../../pkg/context/index.ts';
import { permissionDenied, unauthenticated } from '../../../pkg/errors/index.ts';
import type { EndSpan, Tracing } from '../app/tracing.ts';
import { type Principal, principalKey } from '../http/requestContext.ts';
import { missingFrom } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import {
  type MessageDefinition,
  ProtocolError,
  ack,
  errorPayload,
  failure,
  faultsIn,
  writeEnvelope,
} from './messages.ts';
import type { WebSocketMetrics } from './metrics.ts';
import type { Peer, Session } from './peer.ts';
import type { Sessions } from './sessions.ts';

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

export interface DispatchOptions {
  readonly log: Logger;
  readonly tracing: Tracing;
  readonly errors: ErrorCounts;
  readonly metrics: WebSocketMetrics;
  readonly sessions: Sessions;
  /** Milliseconds for a message whose sender does not ask for less. */
  readonly deadlineMs: number;
}

interface Entry {
  readonly definition: MessageDefinition;
  /** The protocol's own messages are handled each time they come. */
  readonly isControl: boolean;
  /** Throws a ProtocolError when the payload is not valid. */
  readonly handle: (received: Received) => unknown;
  /** Throws when the answer is not as defined. */
  readonly checkAnswer: (value: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** A message while it is handled. */
interface Work extends Received {
  readonly entry: Entry;
  readonly session: Session;
  readonly context: Context;
  readonly begun: number;
  readonly endSpan: EndSpan | undefined;
}

const controlTypes: ReadonlySet<string> = new Set(Object.values(control));

/** Handles each message once, and sends the answer to where the client is then. */
export class Dispatch {
  readonly #options: DispatchOptions;
  /** Type → version → entry. */
  readonly #entries = new Map<string, Map<string, Entry>>();

  /** @param options limits */
  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /**
   * Registers a kind of message.
   * @param definition of the message
   * @param handler of the message
   * @throws {Error} when it is registered already
   */
  on<Payload extends TSchema, Response extends TSchema | undefined>(
    definition: MessageDefinition<Payload, Response>,
    handler: Handler<Payload, Response>,
  ): void {
    const { type, version, payload, response } = definition;
    const versions = this.#entries.get(type) ?? new Map<string, Entry>();
    if (versions.has(version)) throw new Error(`Message "${type}" ${version} is registered twice`);
    const validator = Compile(payload);
    const answers = response === undefined ? undefined : Compile(response);
    const isPayload = (value: unknown): value is Static<Payload> => validator.Check(value);
    versions.set(version, {
      definition,
      isControl: controlTypes.has(type),
      handle(received) {
        const value = received.envelope.payload;
        if (isPayload(value)) return handler(value, received);
        const details = { errors: faultsIn(validator, value) };
        throw new ProtocolError('invalid_payload', `The payload of "${type}" ${version} is not valid.`, details);
      },
      checkAnswer(value) {
        if (answers?.Check(value) !== false) return;
        const [fault] = answers.Errors(value);
        throw new Error(
          `The answer to "${type}" ${version} is not valid at "${fault?.instancePath}": ${fault?.message}`,
        );
      },
    });
    this.#entries.set(type, versions);
  }

  /** @returns all definitions, in order of registration */
  definitions(): MessageDefinition[] {
    return [...this.#entries.values()].flatMap((versions) =>
      [...versions.values()].map(({ definition }) => definition),
    );
  }

  /**
   * Handles a message. The sender gets an answer, whatever happens.
   * @param peer the sender
   * @param session of the sender
   * @param envelope the message
   * @param prepare runs before the handler; when it throws, that is the answer
   * @returns a promise that does not reject, when the handler takes time
   */
  receive(peer: Peer, session: Session, envelope: Envelope, prepare: () => void): Promise<void> | undefined {
    let entry: Entry;
    try {
      entry = this.#entryOf(envelope);
    } catch (error) {
      peer.fault(error, envelope.msgId);
      return undefined;
    }
    if (!entry.isControl && this.#isRepeated(peer, session, envelope)) return undefined;
    const context = this.#contextOf(peer, envelope);
    const endSpan = context.trace.sampled ? beginSpan(this.#options.tracing, context, envelope) : undefined;
    const work: Work = { peer, envelope, entry, session, context, begun: performance.now(), endSpan };
    try {
      const value = runWith(context, () => {
        prepare();
        return handle(work);
      });
      if (value instanceof Promise) return this.#settle(work, value);
      entry.checkAnswer(value);
      this.#end(work, { value });
    } catch (error) {
      this.#end(work, { error });
    }
    return undefined;
  }

  #entryOf({ type, version }: Envelope): Entry {
    const versions = this.#entries.get(type);
    if (versions === undefined) throw new ProtocolError('unknown_type', `There is no message "${type}".`);
    const entry = versions.get(version);
    if (entry !== undefined) return entry;
    const details = { supported: [...versions.keys()] };
    throw new ProtocolError('unknown_version', `There is no version ${version} of "${type}".`, details);
  }

  #isRepeated(peer: Peer, session: Session, { msgId }: Envelope): boolean {
    const known = this.#options.sessions.begin(session, msgId);
    if (known === 'new') return false;
    this.#options.metrics.repeated.inc();
    if (known !== 'pending') peer.send(known.text);
    return true;
  }

  #contextOf({ caller }: Peer, { msgId, traceparent, timeoutMs = Infinity }: Envelope): Context {
    const { tracing, deadlineMs } = this.#options;
    const parent = parseTrace(traceparent);
    const traceId = parent?.traceId ?? newTraceId();
    const trace = { traceId, spanId: newSpanId(), sampled: tracing.isSampled(traceId, parent) };
    const deadline = performance.now() + Math.min(timeoutMs, deadlineMs);
    const context = new Context({ id: msgId, trace, deadline });
    if (caller !== undefined) context.set(principalKey, caller);
    return context;
  }

  /** Waits for a handler until the deadline. */
  async #settle(work: Work, answer: Promise<unknown>): Promise<void> {
    const { context, entry } = work;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(outOfTime(context.id)), context.remainingMs());
    try {
      const value = await Promise.race([answer, late]);
      entry.checkAnswer(value);
      this.#end(work, { value });
    } catch (error) {
      this.#end(work, { error });
    } finally {
      clearTimeout(timer);
    }
  }

  #end(work: Work, outcome: Outcome): void {
    const { entry, session, peer, envelope, begun, context, endSpan } = work;
    // Throws when the value has no JSON, such as a bigint.
    const text = 'error' in outcome ? this.#failureOf(work, outcome.error) : answerOf(work, outcome.value);
    const { sessions, metrics } = this.#options;
    const labels = { type: entry.definition.type, outcome: 'error' in outcome ? 'error' : 'ok' };
    metrics.handled.observe(labels, (performance.now() - begun) / 1000);
    if (!entry.isControl) sessions.end(session, envelope.msgId, text);
    (session.peer ?? peer).send(text);
    endSpan?.({}, 'error' in outcome ? faultOf(outcome.error) : undefined);
    context.cancel();
  }

  #failureOf({ context, envelope, peer }: Work, error: unknown): string {
    const payload = errorPayload(error);
    const { errors, metrics, log } = this.#options;
    if (error instanceof ProtocolError) metrics.faults.inc({ code: error.code });
    else errors.count(payload.code === 'internal' ? undefined : payload.code);
    if (payload.code === 'internal') {
      const about = { err: error, type: envelope.type, subject: peer.caller?.subject };
      runWith(context, () => log.error(about, 'message failed'));
    }
    return writeEnvelope(failure, payload, { correlationId: envelope.msgId, direction: 'response' });
  }
}

/**
 * Checks the scopes of a caller.
 * @param caller the authenticated caller, if there is one
 * @param scopes all of which are needed
 * @throws {ServiceError} 401 without a caller, 403 when a scope is missing
 */
export function permitScopes(caller: Principal | undefined, scopes: readonly string[]): void {
  if (scopes.length === 0) return;
  if (caller === undefined) throw unauthenticated('This needs a token.');
  if (missingFrom(caller, { scopes, roles: [] }) !== undefined) {
    throw permissionDenied('The token does not permit this.', { code: 'insufficient_scope', details: { scopes } });
  }
}

function handle(work: Work): unknown {
  permitScopes(work.peer.caller, work.entry.definition.scopes);
  return work.entry.handle(work);
}

function answerOf({ entry, envelope }: Work, value: unknown): string {
  const options = { correlationId: envelope.msgId, direction: 'response' } as const;
  if (entry.definition.response === undefined) return writeEnvelope(ack, {}, options);
  return writeEnvelope(entry.definition, value, options);
}

/** https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/ */
function beginSpan(tracing: Tracing, context: Context, { type, msgId, source, traceparent }: Envelope): EndSpan {
  const attributes = {
    'messaging.system': 'websocket',
    'messaging.operation.type': 'process',
    'messaging.destination.name': type,
    'messaging.message.id': msgId,
    'messaging.client.id': source,
  };
  const parent = parseTrace(traceparent);
  return tracing.begin(context, { name: `process ${type}`, kind: 'consumer', attributes, parent });
}

function faultOf(error: unknown): string {
  try {
    return error instanceof Error ? error.name : '_OTHER';
  } catch {
    // It throws when it is read.
    return '_OTHER';
  }
}
