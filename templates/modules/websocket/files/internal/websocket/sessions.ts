import { randomUUID } from 'node:crypto';
import type { Peer } from './peer.ts';

/** What has become of a message: being handled, or its answer; an empty text is an acknowledgement. */
export type Outcome = 'pending' | { readonly text: string };

export interface SessionsOptions {
  /** How many messages of a client are remembered. */
  readonly window: number;
  /** Milliseconds for which a client that is gone may come back. */
  readonly ttlMs: number;
  /** How many of those are remembered. */
  readonly most: number;
}

/** Bytes of answers that a session keeps, in case they have to be given again. */
const answerLimitBytes = 65_536;

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
  #outcomes: Map<string, Outcome> | undefined;
  #bytes = 0;

  /**
   * @param subject who it belongs to
   * @param window how many messages are remembered
   */
  constructor(subject: string | undefined, window: number) {
    this.subject = subject;
    this.#window = window;
  }

  /**
   * @param msgId of a message that came
   * @returns what has become of it, if it came before; otherwise it is noted
   */
  begin(msgId: string): Outcome | undefined {
    this.#outcomes ??= new Map();
    const known = this.#outcomes.get(msgId);
    if (known !== undefined) return known;
    this.#outcomes.set(msgId, 'pending');
    if (this.#outcomes.size > this.#window) this.#dropOldest();
    return undefined;
  }

  /**
   * @param msgId of a message that was handled
   * @param text of its answer; empty when it was only to be acknowledged
   */
  end(msgId: string, text: string): void {
    if (this.#outcomes?.has(msgId) !== true) return;
    this.#outcomes.set(msgId, { text });
    this.#bytes += text.length;
    while (this.#bytes > answerLimitBytes && this.#outcomes.size > 1) this.#dropOldest();
  }

  #dropOldest(): void {
    const [oldest] = this.#outcomes ?? [];
    if (oldest === undefined) return;
    const [msgId, outcome] = oldest;
    this.#outcomes?.delete(msgId);
    if (outcome !== 'pending') this.#bytes -= outcome.text.length;
  }
}

/** The sessions of one instance. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #connected = new Map<string, Session>();
  /** In the order in which their clients went. */
  readonly #gone = new Map<string, Session>();

  /** @param options limits */
  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** How many wait for their client. */
  get waiting(): number {
    return this.#gone.size;
  }

  /**
   * @param peer a new connection
   * @returns a new session
   */
  create(peer: Peer): Session {
    const session = new Session(peer.caller?.subject, this.#options.window);
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
    if (session === undefined || session.subject !== peer.caller?.subject) return undefined;
    this.#gone.delete(id);
    this.#connected.set(id, session);
    return session;
  }

  /** A session that turns out not to be needed: its client has resumed another. */
  discard({ id }: Session): void {
    this.#connected.delete(id);
  }

  /** The client of a session is gone; it may come back. */
  leave(session: Session): void {
    const { id } = session;
    if (!this.#connected.delete(id)) return;
    session.peer = undefined;
    session.goneAt = performance.now();
    this.#gone.set(id, session);
    if (this.#gone.size > this.#options.most) this.#forgetOldest();
  }

  /** Forgets those whose time is over. */
  sweep(): void {
    const oldest = performance.now() - this.#options.ttlMs;
    for (const { id, goneAt } of this.#gone.values()) {
      if (goneAt > oldest) return;
      this.#gone.delete(id);
    }
  }

  #forgetOldest(): void {
    for (const id of this.#gone.keys()) {
      this.#gone.delete(id);
      return;
    }
  }
}
