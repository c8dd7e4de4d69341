import { type Envelope, type Opened, type Position, control, controlVersion, mostChannels } from './envelope.ts';
import { MessageError } from './errors.ts';
import type { Line } from './line.ts';
import type { Outbox } from './outbox.ts';
import { payloadOf } from './payload.ts';
import { Questions } from './questions.ts';
import type { Subscriptions } from './subscriptions.ts';
import type { Writer } from './writer.ts';

export interface SessionParts {
  readonly line: Line;
  readonly writer: Writer;
  readonly outbox: Outbox;
  readonly subscriptions: Subscriptions;
  readonly failed: (error: unknown) => void;
}

/** What client and server say to each other in the protocol's own words: who this is, where it stopped, which channels it wants. */
export class Session {
  readonly #parts: SessionParts;
  readonly #questions = new Questions();
  #id: string | undefined;
  /** The connection that there is now: what was asked over an earlier one says nothing of it. */
  #present: symbol | undefined;

  /** @param parts of the client */
  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** The first message over a connection says who this was, and where it stopped. */
  async open(): Promise<void> {
    const { line, outbox, subscriptions, failed } = this.#parts;
    const present = Symbol('connection');
    this.#present = present;
    // The server takes no more at once; the others are asked for below.
    const channels = Object.fromEntries(Object.entries(subscriptions.resumeFrom()).slice(0, mostChannels));
    const payload = { ...(this.#id !== undefined && { sessionId: this.#id }), channels };
    try {
      const opened = await this.#ask<Opened>(control.open, payload);
      if (this.#present !== present) return;
      this.#id = opened.sessionId;
      line.pace(opened.messagesPerSecond ?? Infinity);
      line.established();
      // What was asked for meanwhile, or is no longer wanted, is told now.
      const wanted = subscriptions.resumeFrom();
      for (const [channel, state] of Object.entries(opened.channels)) {
        if ('code' in state) subscriptions.refused(channel, new MessageError(state));
        else if (channel in wanted) subscriptions.joined(channel, state);
        else this.leave(channel);
      }
      for (const [channel, seen] of Object.entries(wanted)) {
        if (!(channel in channels)) void this.join(channel, seen ?? undefined);
      }
      line.watch(opened.heartbeatMs);
      outbox.attach(opened, line.send);
    } catch (error) {
      failed(error);
      if (this.#present === present) line.drop();
    }
  }

  /**
   * Asks for what comes after a position; the server answers when it has sent that.
   * @param channel to be on
   * @param after offset of the last message that came
   */
  async join(channel: string, after: string | undefined): Promise<void> {
    const { subscriptions } = this.#parts;
    try {
      const payload = { channel, ...(after !== undefined && { after }) };
      subscriptions.joined(channel, await this.#ask<Position>(control.subscribe, payload));
    } catch (error) {
      // Without a connection it is asked for again when there is one.
      if (error instanceof MessageError && error.code !== 'closed') subscriptions.refused(channel, error);
    }
  }

  /** @param channel that is no longer listened to */
  leave(channel: string): void {
    this.#tell({ type: control.unsubscribe, version: controlVersion, payload: { channel } });
  }

  /** Asks whether the server is there. */
  ping(): void {
    this.#tell({ type: control.ping, version: controlVersion, payload: {} });
  }

  /**
   * @param msgId of what was asked
   * @param answer to it
   * @returns whether it was asked here
   */
  settle(msgId: string, answer: Envelope | Error): boolean {
    return this.#questions.settle(msgId, answer);
  }

  /** The connection has ended, and with it what was asked over it. */
  lost(reason: Error): void {
    this.#present = undefined;
    this.#questions.close(reason);
  }

  /** The server is the one that defines what it answers. */
  async #ask<Answer>(type: string, payload: unknown): Promise<Answer> {
    const msgId = this.#parts.writer.newId();
    const answer = this.#questions.wait(msgId);
    this.#tell({ msgId, type, version: controlVersion, payload, direction: 'request' });
    return payloadOf<Answer>(await answer);
  }

  #tell(message: Parameters<Writer['envelope']>[0]): void {
    this.#parts.line.send(JSON.stringify(this.#parts.writer.envelope(message)));
  }
}
