import type { PostgresCursor, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { currentSignal } from './cancellation.ts';
import { CheckoutReclaimedError, databaseError } from './errors.ts';

/** What a checkout asks of the pool it came from. */
export interface Lender {
  /** Stops the statement that a connection runs, on the server. */
  readonly cancel: (processId: number) => Promise<void>;
  /** Hears that a checkout is over. */
  readonly returned: (checkout: Checkout) => void;
}

/** One connection in somebody's hands, from `connect` to `release`. */
export class Checkout implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  readonly #lender: Lender;
  readonly #since = performance.now();
  readonly #taken: Error;
  #state: 'held' | 'released' | 'reclaimed' = 'held';

  /**
   * @param client the connection, as the pool gives it
   * @param lender the pool
   * @param taken made where the connection was asked for: its stack tells who holds it
   */
  constructor(client: PostgresPoolClient, lender: Lender, taken: Error) {
    this.#client = client;
    this.#lender = lender;
    this.#taken = taken;
  }

  /** How long the connection has been held, in milliseconds. */
  get heldMs(): number {
    return performance.now() - this.#since;
  }

  /** The stack of who took the connection, without the frames of libraries. */
  get stack(): string {
    const frames = (this.#taken.stack ?? '').split('\n').slice(1);
    const own = frames.filter(
      (frame) => !/node_modules|node:internal|\/platform\/postgres\/(pool|checkout)\.[jt]s/.test(frame),
    );
    return (own.length > 0 ? own : frames).join('\n');
  }

  query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(query: string | PostgresCursor<Row>, parameters: readonly unknown[] = []) {
    return typeof query === 'string' ? this.#run<Row>(query, parameters) : this.#client.query(query);
  }

  /** Gives the connection back; after a reclaim there is nothing left to give. */
  release(destroy = false): void {
    if (this.#state === 'held') this.#end('released', destroy);
  }

  /** Takes the connection away from its holder: a query under way fails, and so does every later one. */
  reclaim(): void {
    if (this.#state === 'held') this.#end('reclaimed', true);
  }

  #end(state: 'released' | 'reclaimed', destroy: boolean): void {
    this.#state = state;
    this.#lender.returned(this);
    this.#client.release(destroy);
  }

  async #run<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    this.#assertNotReclaimed();
    // To roll back is what an abort asks for.
    const signal = text === 'rollback' ? undefined : currentSignal();
    try {
      if (signal === undefined) return await this.#client.query<Row>(text, parameters);
      return await this.#runUntil<Row>(signal, text, parameters);
    } catch (error) {
      signal?.throwIfAborted();
      this.#assertNotReclaimed(error);
      throw databaseError(error);
    }
  }

  async #runUntil<Row>(signal: AbortSignal, text: string, parameters: readonly unknown[]) {
    signal.throwIfAborted();
    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      if (this.#client.processID) cancelled = this.#lender.cancel(this.#client.processID);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#client.query<Row>(text, parameters);
    } finally {
      signal.removeEventListener('abort', cancel);
      // Late, it would hit the connection's next statement.
      await cancelled;
    }
  }

  #assertNotReclaimed(cause?: unknown): void {
    if (this.#state === 'reclaimed') throw new CheckoutReclaimedError(cause);
  }
}
