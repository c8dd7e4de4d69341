import type { Static, TSchema } from 'typebox';
import type { Envelope } from '../../../pkg/client/websocket/envelope.ts';
import { Context, current, newSpanId, newTraceId, outOfTime, parseTrace, runWith } from '../../../pkg/context/index.ts';
import { invalidArgument, permissionDenied, unauthenticated } from '../../../pkg/errors/index.ts';
import type { EndSpan, Tracing } from '../app/tracing.ts';
import { type Principal, principalKey } from '../http/requestContext.ts';
import { missingFrom } from '../identity/module.ts';
import type { Logger } from '../log/logger.ts';
import type { ErrorCounts } from '../metrics/module.ts';
import {
  type MessageDefinition,
  ack,
  assertSent,
  checkerOf,
  errorPayload,
  failure,
  nameOf,
  parseEnvelope,
  writeEnvelope,
} from './messages.ts';
import type { WebSocketMetrics } from './metrics.ts';
import type { Peer } from './peer.ts';

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
  /** Milliseconds for a message whose sender does not ask for less. */
  readonly deadlineMs: number;
}

/** A kind of message, and what handles it. */
export interface Entry {
  readonly definition: MessageDefinition;
  /** Checks the payload, and gives the answer. */
  readonly handle: (received: Received) => Promise<unknown>;
}

/**
 * @param definition of the message
 * @param handler of the message
 * @returns the handler behind checks of the caller, the payload and the answer
 */
export function entryOf<Payload extends TSchema, Response extends TSchema | undefined>(
  definition: MessageDefinition<Payload, Response>,
  handler: Handler<Payload, Response>,
): Entry {
  const name = nameOf(definition);
  const check = checkerOf(definition.payload, {
    code: 'invalid_payload',
    message: `The payload of ${name} is not valid.`,
  });
  return {
    definition,
    async handle(received) {
      permitScopes(received.peer.caller, definition.scopes ?? []);
      const answer = await handler(check(received.envelope.payload), received);
      if (definition.response) assertSent(`The answer to ${name}`, definition.response, answer);
      return answer;
    },
  };
}

/**
 * Handles a message. The sender gets an answer, whatever happens.
 * @param entries all kinds of messages, by name
 * @param peer the sender
 * @param text the message
 * @param options what it needs
 * @returns the text of the answer
 */
export async function answerTo(
  entries: ReadonlyMap<string, Entry>,
  peer: Peer,
  text: string,
  options: DispatchOptions,
): Promise<string> {
  let envelope: Envelope | undefined;
  try {
    envelope = parseEnvelope(text);
    const name = nameOf(envelope);
    const entry = entries.get(name);
    if (entry === undefined) throw invalidArgument(`There is no message ${name}.`, { code: 'unknown_type' });
    const received = { peer, envelope };
    return await runWith(contextOf(received, options), () => handle(entry, received, options));
  } catch (error) {
    return failureOf(error, envelope, options);
  }
}

async function handle(entry: Entry, received: Received, options: DispatchOptions): Promise<string> {
  const { definition } = entry;
  const { envelope } = received;
  const begun = performance.now();
  const context = current();
  const endSpan = context.trace.sampled ? beginSpan(options.tracing, context, envelope) : undefined;
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(outOfTime(context.id)), context.remainingMs());
  let outcome = 'ok';
  let fault: string | undefined;
  try {
    const value = await Promise.race([entry.handle(received), late]);
    const correlationId = envelope.msgId;
    // Throws when the value has no JSON, such as a bigint.
    return definition.response
      ? writeEnvelope(definition, value, { correlationId })
      : writeEnvelope(ack, {}, { correlationId });
  } catch (error) {
    outcome = 'error';
    fault = faultOf(error);
    return failureOf(error, envelope, options);
  } finally {
    clearTimeout(timer);
    options.metrics.handled.observe({ type: definition.type, outcome }, (performance.now() - begun) / 1000);
    endSpan?.({}, fault);
    context.cancel();
  }
}

function contextOf({ peer: { caller }, envelope }: Received, { tracing, deadlineMs }: DispatchOptions): Context {
  const { msgId, traceparent, timeoutMs = Infinity } = envelope;
  const parent = parseTrace(traceparent);
  const traceId = parent?.traceId ?? newTraceId();
  const trace = { traceId, spanId: newSpanId(), sampled: tracing.isSampled(traceId, parent) };
  const context = new Context({ id: msgId, trace, deadline: performance.now() + Math.min(timeoutMs, deadlineMs) });
  if (caller !== undefined) context.set(principalKey, caller);
  return context;
}

function failureOf(error: unknown, envelope: Envelope | undefined, { errors, log }: DispatchOptions): string {
  const payload = errorPayload(error);
  errors.count(payload.code === 'internal' ? undefined : payload.code);
  if (payload.code === 'internal') {
    const subject = current().get(principalKey)?.subject;
    log.error({ err: error, type: envelope?.type, subject }, 'message failed');
  }
  return writeEnvelope(failure, payload, { correlationId: envelope?.msgId });
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
