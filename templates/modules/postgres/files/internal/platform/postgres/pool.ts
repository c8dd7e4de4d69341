import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Client, type Pool } from 'pg';
import { background, current } from '../../../pkg/context/index.ts';
import { withDeadline } from '../app/lifecycle.ts';
import type { Logger } from '../log/logger.ts';
import { CheckoutReclaimedError, PoolExhaustedError, connectError, databaseError, isReadOnly } from './errors.ts';
import type { PostgresMetrics } from './metrics.ts';

interface Limits {
  /** Milliseconds after which a connection that code holds is logged; 0 is never. */
  readonly warnMs: number;
  /** Milliseconds after which it is destroyed; 0 is never. */
  readonly maxMs: number;
  /** Whether another server may replace this one, which then becomes read-only. */
  readonly hasFailover: boolean;
}

/** Milliseconds between two times that all connections are replaced, so that a server that stays read-only is not flooded with new ones. */
const invalidateMs = 1000;

/** A pool that logs code which holds a connection for long, destroys the connection in the end, and cancels queries. */
export class SupervisedPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #limits: Limits;
  readonly #log: Logger;
  readonly #metrics: PostgresMetrics;
  readonly #held = new Set<Checkout>();
  readonly #openedAt = new WeakMap<object, number>();
  /** Connections that were opened before this time are closed instead of used. */
  #validSince = -Infinity;
  readonly #sweeper: NodeJS.Timeout | undefined;

  /**
   * @param pool the pool of node-postgres; `end` closes it
   * @param limits how long code may hold a connection
   * @param log gets a line for each connection that breaks or is held for long
   * @param metrics updated for each checkout
   */
  constructor(pool: Pool, limits: Limits, log: Logger, metrics: PostgresMetrics) {
    this.#pool = pool;
    this.#limits = limits;
    this.#log = log;
    this.#metrics = metrics;
    const enabled = [limits.warnMs, limits.maxMs].filter((limit) => limit > 0);
    if (enabled.length > 0) {
      // One timer for all connections: a limit is kept within a tenth of it.
      this.#sweeper = setInterval(() => this.#sweep(), Math.ceil(Math.min(...enabled) / 10)).unref();
    }
    pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
    pool.on('connect', (client) => {
      this.#openedAt.set(client, performance.now());
      // Without a listener, a connection that breaks while code holds it ends the process. The query fails anyway.
      client.on('error', () => {});
    });
  }

  /** Kysely reads them. */
  get options(): object {
    return this.#pool.options;
  }

  /**
   * Takes a connection; waits for one when all are held.
   * @returns the connection; the caller releases it
   * @throws {PoolExhaustedError} when none became free in time
   * @throws {DatabaseUnavailableError} when no server answers
   */
  async connect(): Promise<PostgresPoolClient> {
    const taken = callSite();
    signalOfContext()?.throwIfAborted();
    const stopWaiting = this.#metrics.wait.startTimer();
    try {
      let client = await this.#pool.connect();
      while ((this.#openedAt.get(client) ?? Infinity) < this.#validSince) {
        client.release(true);
        client = await this.#pool.connect();
      }
      const checkout = new Checkout(client, taken, this);
      this.#held.add(checkout);
      return checkout;
    } catch (error) {
      const failure = connectError(error);
      if (failure instanceof PoolExhaustedError) this.#metrics.exhausted.inc();
      throw failure;
    } finally {
      stopWaiting();
    }
  }

  /**
   * Closes the pool. Waits for the connections that code holds.
   * @param signal when aborted, these are destroyed
   */
  async end(signal?: AbortSignal): Promise<void> {
    const reclaim = () => this.#held.forEach((checkout) => checkout.reclaim());
    signal?.addEventListener('abort', reclaim, { once: true });
    await this.#pool.end();
    signal?.removeEventListener('abort', reclaim);
    clearInterval(this.#sweeper);
  }

  returned(checkout: Checkout): void {
    this.#held.delete(checkout);
    this.#metrics.checkout.observe(checkout.heldMs / 1000);
  }

  /**
   * Asks the server whether it takes writes.
   * @param timeoutMs milliseconds for the answer
   * @returns whether it is read-only; its connection is then not used again
   * @throws {Error} when there is no answer; no connection of that time is used again
   * @throws {PoolExhaustedError} when all connections are held
   * @throws {DatabaseUnavailableError} when no server answers
   */
  async isReadOnly(timeoutMs: number): Promise<boolean> {
    const client = await this.connect();
    let isUsable = false;
    try {
      const { rows } = await withDeadline('the health check of the database', timeoutMs, () =>
        client.query<{ transaction_read_only: string }>('show transaction_read_only', []),
      );
      isUsable = rows[0]?.transaction_read_only === 'off';
      return !isUsable;
    } catch (error) {
      // When the address moves to another server, the old one may just not answer.
      this.invalidate();
      throw error;
    } finally {
      client.release(!isUsable);
    }
  }

  /** After a failover, closes the connections that are open now instead of using them again; at most once a second. */
  invalidate(): void {
    const now = performance.now();
    if (this.#limits.hasFailover && now - this.#validSince > invalidateMs) this.#validSince = now;
  }

  /**
   * Cancels a statement, through another connection: all of the pool may be busy. After a failover another server answers, where the
   * process may be of another session: it is cancelled only when it runs this statement.
   */
  async cancel(processId: number, statement: string): Promise<void> {
    const client = new Client(this.#pool.options);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(
        'select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and starts_with($2, query)',
        [processId, statement],
      );
    } catch (error) {
      this.#log.warn({ err: error }, 'could not cancel a statement');
    } finally {
      await client.end();
    }
  }

  #sweep(): void {
    const { warnMs, maxMs } = this.#limits;
    for (const checkout of this.#held) {
      const { heldMs, stack } = checkout;
      if (maxMs > 0 && heldMs > maxMs) {
        this.#metrics.reclaimed.inc();
        this.#log.error({ heldMs: Math.round(heldMs), stack }, 'database connection held for too long: taken away');
        checkout.reclaim();
      } else if (warnMs > 0 && heldMs > warnMs && !checkout.isLogged) {
        checkout.isLogged = true;
        this.#metrics.leaks.inc();
        this.#log.warn({ heldMs: Math.round(heldMs), stack }, 'database connection held for long: is it released?');
      }
    }
  }
}

/** One connection that code holds, from `connect` to `release`. */
class Checkout implements PostgresPoolClient {
  readonly #client: PostgresPoolClient;
  readonly #taken: Error;
  readonly #pool: SupervisedPool;
  readonly #since = performance.now();
  #state: 'held' | 'released' | 'reclaimed' = 'held';
  /** Whether the warning about it is logged. */
  isLogged = false;

  constructor(client: PostgresPoolClient, taken: Error, pool: SupervisedPool) {
    this.#client = client;
    this.#taken = taken;
    this.#pool = pool;
  }

  get heldMs(): number {
    return performance.now() - this.#since;
  }

  /** The stack of the code that took the connection, without libraries. */
  get stack(): string {
    const frames = (this.#taken.stack ?? '').split('\n').slice(1);
    const own = frames.filter((frame) => !/node_modules|node:internal|\/platform\/postgres\/pool\.[jt]s/.test(frame));
    return (own.length > 0 ? own : frames).join('\n');
  }

  query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  query<Row>(query: string | PostgresCursor<Row>, parameters: readonly unknown[] = []) {
    return typeof query === 'string' ? this.#run<Row>(query, parameters) : this.#client.query(query);
  }

  release(destroy = false): void {
    this.#end('released', destroy);
  }

  /** Destroys the connection: the current query fails, and so does every later one. */
  reclaim(): void {
    this.#end('reclaimed', true);
  }

  #end(state: 'released' | 'reclaimed', destroy: boolean): void {
    if (this.#state !== 'held') return;
    this.#state = state;
    this.#pool.returned(this);
    this.#client.release(destroy);
  }

  /** Runs a query. It is cancelled on the server when the context ends; a rollback is not. */
  async #run<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    this.#assertNotReclaimed();
    const signal = text === 'rollback' ? undefined : signalOfContext();
    signal?.throwIfAborted();
    let cancelled: Promise<void> | undefined;
    const cancel = () => {
      if (this.#client.processID) cancelled = this.#pool.cancel(this.#client.processID, text);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#client.query<Row>(text, parameters);
    } catch (error) {
      if (isReadOnly(error)) this.#pool.invalidate();
      signal?.throwIfAborted();
      this.#assertNotReclaimed(error);
      throw databaseError(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      // A late cancellation would hit the next statement of the connection.
      await cancelled;
    }
  }

  #assertNotReclaimed(cause?: unknown): void {
    if (this.#state === 'reclaimed') throw new CheckoutReclaimedError(cause);
  }
}

function signalOfContext(): AbortSignal | undefined {
  const context = current();
  return context === background ? undefined : context.signal;
}

/** @returns an error whose stack reaches through the query builder to the caller */
function callSite(): Error {
  const { stackTraceLimit } = Error;
  // About ten are of the query builder. Each frame costs time and memory, for each query.
  Error.stackTraceLimit = 16;
  const site = new Error('database connection taken');
  Error.stackTraceLimit = stackTraceLimit;
  return site;
}
