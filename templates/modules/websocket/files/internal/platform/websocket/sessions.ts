import { randomUUID } from 'node:crypto';
import type { Settings } from './config.ts';
import type { Peer, Session } from './peer.ts';

/** Approximate memory of an answer besides its text. */
const overheadBytes = 300;
/** Approximate memory of the answers of one session. The last answer is kept in any case. */
const maxSessionBytes = 65_536;

/** Knows which messages were handled, and their answers: a client sends a message again when it lost the answer. */
export class Sessions {
  readonly #settings: Settings;
  readonly #connected = new Map<string, Session>();
  /** Sessions whose client is gone, oldest first. */
  readonly #gone = new Map<string, Session>();
  /** Messages that are being handled, by session and `msgId`. */
  readonly #pending = new Set<string>();
  /** Oldest first. */
  readonly #answers = new Map<string, { readonly session: Session; readonly text: string; readonly at: number }>();
  #bytes = 0;

  /** @param settings of the module */
  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Number of sessions whose client is gone. */
  get waiting(): number {
    return this.#gone.size;
  }

  /** Approximate memory of all answers. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Begins a session.
   * @param peer the connection
   * @returns the session
   */
  create(peer: Peer): Session {
    const session = {
      id: randomUUID(),
      subject: peer.caller?.subject,
      peer,
      goneAt: 0,
      answers: new Set<string>(),
      bytes: 0,
    };
    this.#connected.set(session.id, session);
    return session;
  }

  /**
   * Moves a connection to the session that its client had before.
   * @param id of that session
   * @param peer the new connection
   * @returns the former connection of the session, or the new one; `undefined` when there is no such session, or it belongs to another
   * subject
   */
  resume(id: string, peer: Peer): Peer | undefined {
    this.sweep();
    const session = this.#gone.get(id) ?? this.#connected.get(id);
    if (session === undefined || session.subject !== peer.caller?.subject) return undefined;
    if (peer.session !== undefined) this.#connected.delete(peer.session.id);
    this.#gone.delete(id);
    this.#connected.set(id, session);
    const former = session.peer ?? peer;
    session.peer = peer;
    peer.session = session;
    return former;
  }

  /**
   * Keeps a session whose client has disconnected, so that it can be resumed.
   * @param session to keep
   */
  leave(session: Session): void {
    session.peer = undefined;
    session.goneAt = performance.now();
    this.#connected.delete(session.id);
    this.#gone.set(session.id, session);
    const [oldest] = this.#gone.keys();
    if (this.#gone.size > this.#settings.WEBSOCKET_CONNECTIONS_MAX && oldest !== undefined) this.#gone.delete(oldest);
  }

  /** Forgets sessions and answers that are too old. */
  sweep(): void {
    const oldest = performance.now() - this.#settings.WEBSOCKET_SESSION_TTL_MS;
    for (const [id, { goneAt }] of this.#gone) {
      if (goneAt > oldest) break;
      this.#gone.delete(id);
    }
    for (const [key, { at }] of this.#answers) {
      if (at > oldest) break;
      this.#forget(key);
    }
  }

  /**
   * Notes that a message came.
   * @param session of its sender
   * @param msgId of the message
   * @returns `new`; `pending` while an earlier message with this id is handled; or the text of its answer
   */
  begin(session: Session, msgId: string): 'new' | 'pending' | { readonly text: string } {
    const key = `${session.id} ${msgId}`;
    if (this.#pending.has(key)) return 'pending';
    const answer = this.#answers.get(key);
    if (answer !== undefined) return answer;
    this.#pending.add(key);
    return 'new';
  }

  /**
   * Keeps the answer to a message. Forgets the oldest answers beyond the limits: those of the session first, so that one client cannot
   * take the memory of all.
   * @param session of its sender
   * @param msgId of the message
   * @param text of the answer
   */
  end(session: Session, msgId: string, text: string): void {
    const key = `${session.id} ${msgId}`;
    this.#pending.delete(key);
    this.#answers.set(key, { session, text, at: performance.now() });
    session.answers.add(key);
    this.#count(session, text, 1);
    for (const oldest of session.answers) {
      if (session.bytes <= maxSessionBytes || oldest === key) break;
      this.#forget(oldest);
    }
    for (const oldest of this.#answers.keys()) {
      if (this.#bytes <= this.#settings.WEBSOCKET_SESSIONS_BYTES_MAX) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    answer.session.answers.delete(key);
    this.#count(answer.session, answer.text, -1);
  }

  #count(session: Session, text: string, sign: 1 | -1): void {
    const bytes = sign * (text.length + overheadBytes);
    session.bytes += bytes;
    this.#bytes += bytes;
  }
}
