import { writeEnvelope } from './envelope.ts';
import { ack } from './control.ts';
import type { Peer } from '../connections/peer.ts';

/** Milliseconds for which acknowledgements are collected: one message says many. */
const collectMs = 20;

/** What is still to be acknowledged, of all clients: one timer for all of them. */
export class Acks {
  readonly #pending = new Map<Peer, string[]>();
  #isDue = false;

  /**
   * @param peer to tell
   * @param msgId of a message that was handled
   */
  add(peer: Peer, msgId: string): void {
    const msgIds = this.#pending.get(peer);
    if (msgIds === undefined) this.#pending.set(peer, [msgId]);
    else msgIds.push(msgId);
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#flushAll(), collectMs);
  }

  /** Tells one client at once. */
  flush(peer: Peer): void {
    const msgIds = this.#pending.get(peer);
    if (msgIds === undefined) return;
    this.#pending.delete(peer);
    peer.send(writeEnvelope(ack.type, ack.version, { msgIds }));
  }

  /** @param peer who is gone */
  forget(peer: Peer): void {
    this.#pending.delete(peer);
  }

  #flushAll(): void {
    this.#isDue = false;
    for (const peer of this.#pending.keys()) this.flush(peer);
  }
}
