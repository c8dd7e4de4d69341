import { randomUUID } from 'node:crypto';
import type { Peer } from '../connections/peer.ts';

/** What has become of a message: being handled, or its answer; an empty text is an acknowledgement. */
export type Outcome = 'pending' | { readonly text: string };

export interface SessionsOptions {
  /** How many messages of a client are remembered. */
  readonly window: number;
  /** Milliseconds for which a client that is gone may come back. */
  readonly ttlMs: number;
  /** How many of those are remembered. */
  readonly most: number;
  /** Bytes that all of those keep together, and those of clients that are connected as much again. */
  readonly mostBytes: number;
}

/** Bytes of answers that a session keeps, in case they have to be given again. */
const answerLimitBytes = 65_536;
/** About what is kept of a message besides its answer: its id, and its place in a map. */
const outcomeBytes = 200;

/** What outlives a connection: which messages of a client were handled, and how they were answered. */
export class Session {
  readonly id = randomUUID();
  /** Who it belongs to; nobody else may resume it. */
  readonly subject: string | undefined;
  /** Its client, while that is connected. */
  peer: Peer | undefined;
  /** When its client was seen last, by `performance.now()`. */
  goneAt = 0;
  readonly #window: number;
  readonly #changed: (session: Session, bytes: number) => void;
  #outcomes: Map<string, Outcome> | undefined;
  #bytes = 0;
  /** How many of the outcomes are no longer pending. */
  #answered = 0;

  /**
   * @param subject who it belongs to
   * @param window how many messages are remembered
   * @param changed told how many bytes more it keeps; at an answer, its client may be gone
   */
  constructor(subject: string | undefined, window: number, changed: (session: Session, bytes: number) => void) {
    this.subject = subject;
    this.#window = window;
    this.#changed = changed;
  }

  /** About what it keeps, in bytes. */
  get bytes(): number {
    return this.#bytes + (this.#outcomes?.size ?? 0) * outcomeBytes;
  }

  /**
   * @param msgId of a message that came
   * @returns what has become of it, if it came before; otherwise it is noted
   */
  begin(msgId: string): Outcome | undefined {
    this.#outcomes ??= new Map();
    const known = this.#outcomes.get(msgId);
    if (known !== undefined) return known;
    const before = this.bytes;
    this.#outcomes.set(msgId, 'pending');
    if (this.#outcomes.size > this.#window) this.#dropOldest();
    this.#changed(this, this.bytes - before);
    return undefined;
  }

  /**
   * @param msgId of a message that was handled
   * @param text of its answer; empty when it was only to be acknowledged
   */
  end(msgId: string, text: string): void {
    if (this.#outcomes?.has(msgId) !== true) return;
    const before = this.bytes;
    this.#outcomes.set(msgId, { text });
    this.#bytes += text.length;
    this.#answered += 1;
    while (this.#bytes > answerLimitBytes && this.#outcomes.size > 1) this.#dropOldest();
    this.#changed(this, this.bytes - before);
  }

  /**
   * Forgets the older half of the answers, the only one, too; what is pending is remembered.
   * @returns how many bytes it keeps less; 0 when there is no answer
   */
  forgetOlder(): number {
    const before = this.bytes;
    let excess = Math.ceil(this.#answered / 2);
    for (const [msgId, outcome] of this.#outcomes ?? []) {
      if (excess === 0) break;
      if (outcome === 'pending') continue;
      this.#drop(msgId, outcome);
      excess -= 1;
    }
    return before - this.bytes;
  }

  #dropOldest(): void {
    const [oldest] = this.#outcomes ?? [];
    if (oldest !== undefined) this.#drop(...oldest);
  }

  #drop(msgId: string, outcome: Outcome): void {
    this.#outcomes?.delete(msgId);
    if (outcome === 'pending') return;
    this.#bytes -= outcome.text.length;
    this.#answered -= 1;
  }
}

/** The sessions of one instance. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #connected = new Map<string, Session>();
  /** In the order in which their clients went. */
  readonly #gone = new Map<string, Session>();
  /** What those keep. */
  #goneBytes = 0;
  /**
   * Those of connected clients that may keep answers, in the order of their turns to forget: whoever began to keep, or had its turn,
   * longest ago is the next.
   */
  readonly #turns = new Set<Session>();
  /** What those of connected clients keep: a sum of its own, so that they cannot crowd out those that are to be resumed. */
  #connectedBytes = 0;
  readonly #changed = (session: Session, bytes: number): void => {
    if (session.peer !== undefined) this.#keep(session, bytes);
    else if (this.#gone.has(session.id)) {
      this.#goneBytes += bytes;
      this.#forgetOldest();
    }
  };

  /** @param options limits */
  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** How many wait for their client. */
  get waiting(): number {
    return this.#gone.size;
  }

  /** What those keep, in bytes. */
  get waitingBytes(): number {
    return this.#goneBytes;
  }

  /** What those of connected clients keep, in bytes. */
  get connectedBytes(): number {
    return this.#connectedBytes;
  }

  /**
   * @param peer a new connection
   * @returns a new session
   */
  create(peer: Peer): Session {
    const session = new Session(peer.subject, this.#options.window, this.#changed);
    session.peer = peer;
    this.#connected.set(session.id, session);
    return session;
  }

  /**
   * @param id what a client says it was
   * @param peer its new connection
   * @returns its session, unless there is none any more, or it is somebody else's
   */
  resume(id: string, peer: Peer): Session | undefined {
    this.sweep();
    const session = this.#gone.get(id) ?? this.#connected.get(id);
    if (session === undefined || session.subject !== peer.subject) return undefined;
    if (this.#connected.has(id)) return session;
    this.#forget(session);
    this.#connected.set(id, session);
    this.#keep(session, session.bytes);
    return session;
  }

  /** A session that turns out not to be needed: its client has resumed another. */
  discard(session: Session): void {
    this.#disconnect(session);
  }

  /** The client of a session is gone; it may come back. */
  leave(session: Session): void {
    if (!this.#disconnect(session)) return;
    session.peer = undefined;
    session.goneAt = performance.now();
    this.#gone.set(session.id, session);
    this.#goneBytes += session.bytes;
    this.#forgetOldest();
  }

  /** Forgets those whose time is over. */
  sweep(): void {
    const oldest = performance.now() - this.#options.ttlMs;
    for (const session of this.#gone.values()) {
      if (session.goneAt > oldest) return;
      this.#forget(session);
    }
  }

  #disconnect(session: Session): boolean {
    if (!this.#connected.delete(session.id)) return false;
    this.#connectedBytes -= session.bytes;
    this.#turns.delete(session);
    return true;
  }

  /** One of a connected client keeps more, or less; beyond the limit others forget, in turn. */
  #keep(session: Session, bytes: number): void {
    this.#connectedBytes += bytes;
    this.#turns.add(session);
    if (this.#connectedBytes <= this.#options.mostBytes) return;
    for (const next of this.#turns) {
      const forgotten = next.forgetOlder();
      this.#connectedBytes -= forgotten;
      this.#turns.delete(next);
      // At the end, unless it has nothing to forget: then with its next message.
      if (forgotten > 0) this.#turns.add(next);
      if (this.#connectedBytes <= this.#options.mostBytes) return;
    }
  }

  /** Until no more wait, and keep no more, than may. */
  #forgetOldest(): void {
    const { most, mostBytes } = this.#options;
    if (this.#gone.size <= most && this.#goneBytes <= mostBytes) return;
    for (const session of this.#gone.values()) {
      this.#forget(session);
      if (this.#gone.size <= most && this.#goneBytes <= mostBytes) return;
    }
  }

  #forget(session: Session): void {
    if (this.#gone.delete(session.id)) this.#goneBytes -= session.bytes;
  }
}
