import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '../../../pkg/client/websocket/envelope.ts';
import { resourceExhausted, unavailable } from '../../../pkg/errors/index.ts';
import type { Settings } from './config.ts';
import type { Peer } from './peer.ts';

/** `Retry-After` of a refused connection in milliseconds. */
const retryAfterMs = 5000;
/** Milliseconds between two steps of `drain`. */
const stepMs = 20;

/** Counts per key, such as connections per address. A key with a count of zero takes no memory. */
class Counts {
  readonly #counts = new Map<string, number>();

  /** @returns the count of a key */
  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}

/** The connections of one instance: limits, heartbeat and shutdown. */
export class Connections {
  readonly peers = new Set<Peer>();
  readonly #settings: Settings;
  readonly #bySubject = new Counts();
  readonly #byAddress = new Counts();
  #isRefusing = false;

  /** @param settings of the module */
  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Checks whether there is room for one more connection.
   * @param address of the client
   * @param subject of the client, if it is authenticated
   * @throws {ServiceError} 503 when the instance has too many connections or stops, 429 when this client has too many
   */
  admit(address: string, subject: string | undefined): void {
    const settings = this.#settings;
    if (this.#isRefusing) throw unavailable('The service is stopping.', { code: 'stopping', retryAfterMs: 0 });
    const options = { code: 'too_many_connections', retryAfterMs };
    if (this.peers.size >= settings.WEBSOCKET_CONNECTIONS_MAX)
      throw unavailable('There are too many connections.', options);
    // Many subjects may share an address.
    const hasTooMany =
      subject === undefined
        ? this.#byAddress.of(address) >= settings.WEBSOCKET_CONNECTIONS_PER_ADDRESS
        : this.#bySubject.of(subject) >= settings.WEBSOCKET_CONNECTIONS_PER_SUBJECT;
    if (hasTooMany) throw resourceExhausted('You have too many connections.', options);
  }

  /** Counts a connection. */
  add(peer: Peer): void {
    this.peers.add(peer);
    if (peer.caller === undefined) this.#byAddress.add(peer.address);
    else this.#bySubject.add(peer.caller.subject);
  }

  /** Counts a connection no longer. */
  remove(peer: Peer): void {
    this.peers.delete(peer);
    if (peer.caller === undefined) this.#byAddress.remove(peer.address);
    else this.#bySubject.remove(peer.caller.subject);
  }

  /**
   * Checks all clients again and again, with one timer.
   * @param checked called after each check
   * @returns stops the checks
   */
  startHeartbeat(checked: () => void): () => void {
    // Several times in each interval, so that the pings are spread as the connections came.
    const everyMs = Math.max(Math.min(this.#settings.WEBSOCKET_HEARTBEAT_MS / 10, 1000), 1);
    const timer = setInterval(() => {
      const now = performance.now();
      for (const peer of this.peers) peer.check(now);
      checked();
    }, everyMs).unref();
    return () => clearInterval(timer);
  }

  /**
   * Refuses new connections and closes all others with 1001, spread over a time: not all clients reconnect at once.
   * @param deadline aborts when what is left must be cut off
   */
  async drain(deadline: AbortSignal): Promise<void> {
    const { WEBSOCKET_DRAIN_MS: spreadMs } = this.#settings;
    this.#isRefusing = true;
    const all = [...this.peers];
    const begun = performance.now();
    const cutOff = (): void => {
      for (const peer of this.peers) peer.terminate();
    };
    deadline.addEventListener('abort', cutOff);
    try {
      for (let closed = 0; closed < all.length && !deadline.aborted;) {
        const due = spreadMs === 0 ? all.length : Math.ceil(((performance.now() - begun) / spreadMs) * all.length);
        for (; closed < Math.min(due, all.length); closed += 1)
          void all[closed]?.leave(closeCodes.goingAway, 'going away');
        if (closed < all.length) await sleep(stepMs);
      }
      while (this.peers.size > 0) await sleep(stepMs);
    } finally {
      deadline.removeEventListener('abort', cutOff);
    }
  }
}
