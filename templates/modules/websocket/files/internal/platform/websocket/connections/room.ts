import { resourceExhausted, unavailable } from '../../../../pkg/errors/index.ts';
import { Counts } from '../../http/connections.ts';

/** Whose a connection is. */
export interface Whose {
  /** Who has connected, when the service knows (module auth). */
  readonly subject: string | undefined;
  /** Of the client, or of a proxy that is not trusted. */
  readonly address: string;
}

export interface RoomLimits {
  readonly connections: number;
  readonly perSubject: number;
  /** Of those without a subject. */
  readonly perAddress: number;
}

/** Milliseconds after which whoever finds no room is to come again. */
const retryAfterMs = 5000;

/** How many connections there are, and whose: nobody may have all of them. */
export class Room {
  readonly #limits: RoomLimits;
  readonly #bySubject = new Counts();
  readonly #byAddress = new Counts();
  #connections = 0;

  /** @param limits of all connections, and of those that are one's */
  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  /**
   * @param whose connection it would be
   * @throws {ServiceError} 503 when there is no room for anybody, 429 when there is none for this one
   */
  admit({ subject, address }: Whose): void {
    const { connections, perSubject, perAddress } = this.#limits;
    const code = 'too_many_connections';
    if (this.#connections >= connections) throw unavailable('There are too many connections.', { code, retryAfterMs });
    const hasTooMany =
      subject === undefined ? this.#byAddress.of(address) >= perAddress : this.#bySubject.of(subject) >= perSubject;
    if (hasTooMany) throw resourceExhausted('You have too many connections.', { code, retryAfterMs });
  }

  /** @param whose a connection has come */
  add({ subject, address }: Whose): void {
    this.#connections += 1;
    // Who is known counts as such, wherever it comes from: many of them may share a proxy.
    if (subject === undefined) this.#byAddress.add(address);
    else this.#bySubject.add(subject);
  }

  /** @param whose a connection has gone */
  remove({ subject, address }: Whose): void {
    this.#connections -= 1;
    if (subject === undefined) this.#byAddress.remove(address);
    else this.#bySubject.remove(subject);
  }
}
