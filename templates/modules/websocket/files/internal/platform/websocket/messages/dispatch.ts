import type { Envelope } from '../../../../pkg/client/websocket/envelope.ts';
import {
  Context,
  newSpanId,
  newTraceId,
  outOfTime,
  parseTrace,
  runWith,
  type Trace,
} from '../../../../pkg/context/index.ts';
import type { EndSpan, Tracing } from '../../app/tracing.ts';
import { principalKey } from '../../http/requestContext.ts';
import type { Logger } from '../../log/logger.ts';
import type { ErrorCounts } from '../../metrics/module.ts';
import { writeEnvelope } from './envelope.ts';
import { ProtocolError, payloadOf } from './faults.ts';
import { failure } from './control.ts';
import type { WebSocketMetrics } from '../metrics.ts';
import type { Peer } from '../connections/peer.ts';
import type { Entry, Received, Registry } from './registry.ts';
import { permitScopes } from './scopes.ts';
import type { Session } from './sessions.ts';

export interface DispatchOptions {
  readonly registry: Registry;
  readonly log: Logger;
  readonly tracing: Tracing;
  readonly errors: ErrorCounts;
  readonly metrics: WebSocketMetrics;
  /** Milliseconds for a message whose sender asks for no less. */
  readonly deadlineMs: number;
  /** The session of a client, which begins with its first message. */
  readonly sessionOf: (peer: Peer, first: Envelope) => Session;
}

/** What came of a message. */
type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** One message, while it is handled. */
interface Work extends Received {
  readonly entry: Entry;
  readonly session: Session;
  readonly context: Context;
  readonly begun: number;
}

/** Brings each message to its handler, once, and its answer back to where the client is then. */
export class Dispatch {
  readonly #options: DispatchOptions;

  /** @param options handlers, limits, and who hears of it */
  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /**
   * Handles a message; whatever goes wrong, its sender is told.
   * @returns a promise when it takes its time; it does not fail
   */
  readonly receive = (peer: Peer, envelope: Envelope): Promise<void> | undefined => {
    try {
      const entry = this.#options.registry.entryOf(envelope);
      const session = this.#options.sessionOf(peer, envelope);
      if (!entry.isControl && this.#isRepeated(peer, session, envelope)) return undefined;
      const begun = performance.now();
      const context = this.#contextOf(peer, envelope, begun);
      return this.#run({ peer, envelope, entry, session, context, begun });
    } catch (error) {
      peer.fault(error, envelope);
      return undefined;
    }
  };

  /** A message that came before is not handled again: its sender has missed what came of it. */
  #isRepeated(peer: Peer, session: Session, { msgId }: Envelope): boolean {
    const known = session.begin(msgId);
    if (known === undefined) return false;
    this.#options.metrics.repeated.inc();
    if (known === 'pending') return true;
    if (known.text === '') peer.acknowledge(msgId);
    else peer.send(known.text);
    return true;
  }

  #contextOf({ caller }: Peer, { msgId, traceparent, timeoutMs = Infinity }: Envelope, begun: number): Context {
    const { tracing, deadlineMs } = this.#options;
    const parent = parseTrace(traceparent);
    const traceId = parent?.traceId ?? newTraceId();
    const trace: Trace = { traceId, spanId: newSpanId(), sampled: tracing.isSampled(traceId, parent) };
    const context = new Context({ id: msgId, trace, deadline: begun + Math.min(timeoutMs, deadlineMs) });
    if (caller !== undefined) context.set(principalKey, caller);
    return context;
  }

  #run(work: Work): Promise<void> | undefined {
    const { context, envelope } = work;
    const endSpan = context.trace.sampled ? beginSpan(this.#options.tracing, context, envelope) : undefined;
    const finish = (outcome: Outcome): void => {
      this.#finish(work, outcome);
      endSpan?.({}, 'error' in outcome ? faultOf(outcome.error) : undefined);
      context.cancel();
    };
    const settle = (outcome: Outcome): void => {
      try {
        finish(outcome);
      } catch (error) {
        // JSON cannot write it: a bigint, say. What is told of that holds nothing of the kind.
        finish({ error });
      }
    };
    try {
      const value = runWith(context, handle, work);
      if (value instanceof Promise) return untilDeadline(work, value).then(settle);
      settle({ value });
    } catch (error) {
      settle({ error });
    }
    return undefined;
  }

  #finish(work: Work, outcome: Outcome): void {
    const { entry, session, peer, envelope, begun } = work;
    const { type } = entry.definition;
    const failed = 'error' in outcome;
    const text = failed ? this.#failureOf(work, outcome.error) : answerOf(work, outcome.value);
    this.#options.metrics.handled.observe(
      { type, outcome: failed ? 'error' : 'ok' },
      (performance.now() - begun) / 1000,
    );
    if (!entry.isControl) session.end(envelope.msgId, text);
    // Where the client is now: it may have come back on another connection meanwhile.
    const now = session.peer ?? peer;
    if (text === '') now.acknowledge(envelope.msgId);
    else now.send(text);
  }

  #failureOf({ context, envelope, peer }: Work, error: unknown): string {
    const payload = payloadOf(error);
    const { errors, metrics, log } = this.#options;
    if (error instanceof ProtocolError) metrics.faults.inc({ code: error.code });
    else errors.count(payload.code === 'internal' ? undefined : payload.code);
    if (payload.code === 'internal') {
      runWith(context, () =>
        log.error({ err: error, type: envelope.type, subject: peer.caller?.subject }, 'message failed'),
      );
    }
    return writeEnvelope(failure.type, failure.version, payload, {
      correlationId: envelope.msgId,
      direction: 'response',
    });
  }
}

/** By the conventions for messaging (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/). */
function beginSpan(tracing: Tracing, context: Context, { type, msgId, source, traceparent }: Envelope): EndSpan {
  const attributes = {
    'messaging.system': 'websocket',
    'messaging.operation.type': 'process',
    'messaging.destination.name': type,
    'messaging.message.id': msgId,
    'messaging.client.id': source,
  };
  return tracing.begin(context, {
    name: `process ${type}`,
    kind: 'consumer',
    attributes,
    parent: parseTrace(traceparent),
  });
}

function faultOf(error: unknown): string {
  return error instanceof Error ? error.name : '_OTHER';
}

function handle(work: Work): unknown {
  const { entry, peer } = work;
  permitScopes(peer.caller, entry.definition.scopes);
  const value = entry.handle(work);
  if (!(value instanceof Promise)) entry.checkAnswer(value);
  return value;
}

/** The text of an answer; empty when the message is only to be acknowledged. */
function answerOf({ entry, envelope }: Work, value: unknown): string {
  const { type, version, response } = entry.definition;
  if (response === undefined) return '';
  return writeEnvelope(type, version, value, { correlationId: envelope.msgId, direction: 'response' });
}

/** Waits for an answer no longer than its context has time, and checks it as one that is there at once. */
async function untilDeadline({ context, entry }: Work, answer: Promise<unknown>): Promise<Outcome> {
  const { promise: late, resolve } = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => resolve({ error: outOfTime(context.id) }), context.remainingMs());
  try {
    const checked = answer.then((value): Outcome => {
      entry.checkAnswer(value);
      return { value };
    });
    return await Promise.race([late, checked]);
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}
