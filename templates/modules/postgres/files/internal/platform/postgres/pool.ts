import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { Client, type Pool } from 'pg';
import { background, current } from '../../../pkg/context/index.ts';
import { withDeadline } from '../app/lifecycle.ts';
import type { Logger } from '../log/logger.ts';
import { PoolExhaustedError, connectError, databaseError, isReadOnly } from './errors.ts';
import type { PostgresMetrics } from './metrics.ts';

/** Milliseconds between two times that all connections are replaced, so that a server that stays read-only is not flooded with new ones. */
const invalidateMs = 1000;

/** A pool that cancels the queries of a context that has ended, leaves a server that is read-only, and throws the errors of `pkg/errors`. */
export class SupervisedPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #log: Logger;
  readonly #metrics: PostgresMetrics;
  readonly #openedAt = new WeakMap<object, number>();
  /** Connections that were opened before this time are closed instead of used. */
  #validSince = -Infinity;

  /**
   * @param pool the pool of node-postgres
   * @param log gets a line for each idle connection that breaks
   * @param metrics updated for each connection that is taken
   */
  constructor(pool: Pool, log: Logger, metrics: PostgresMetrics) {
    this.#pool = pool;
    this.#log = log;
    this.#metrics = metrics;
    pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
    pool.on('connect', (client) => {
      // The embedded database has no processes, and no other server replaces it.
      if ('processID' in client && client.processID) this.#openedAt.set(client, performance.now());
      // Without a listener, a connection that breaks while code holds it ends the process. The query fails anyway.
      client.on('error', () => {});
    });
  }

  /** Kysely reads them. */
  get options(): object {
    return this.#pool.options;
  }

  end(): Promise<void> {
    return this.#pool.end();
  }

  /**
   * Takes a connection; waits for one when all are held.
   * @returns the connection; the caller releases it
   * @throws {PoolExhaustedError} when none became free in time
   * @throws {DatabaseUnavailableError} when no server answers
   */
  async connect(): Promise<PostgresPoolClient> {
    signalOfContext()?.throwIfAborted();
    const stopWaiting = this.#metrics.wait.startTimer();
    try {
      let client = await this.#pool.connect();
      while ((this.#openedAt.get(client) ?? Infinity) < this.#validSince) {
        client.release(true);
        client = await this.#pool.connect();
      }
      return this.#taken(client);
    } catch (error) {
      const failure = connectError(error);
      if (failure instanceof PoolExhaustedError) this.#metrics.exhausted.inc();
      throw failure;
    } finally {
      stopWaiting();
    }
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
      this.#invalidate();
      throw error;
    } finally {
      client.release(!isUsable);
    }
  }

  #taken(client: PostgresPoolClient): PostgresPoolClient {
    let isHeld = true;
    const release = (destroy = false): void => {
      if (isHeld) client.release(destroy);
      isHeld = false;
    };
    const run = <Row>(text: string, parameters: readonly unknown[]) =>
      this.#run<Row>(client, () => release(true), text, parameters);
    function query<Row>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
    function query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
    function query<Row>(given: string | PostgresCursor<Row>, parameters: readonly unknown[] = []) {
      return typeof given === 'string' ? run<Row>(given, parameters) : client.query(given);
    }
    return { query, release };
  }

  /**
   * Runs a query. It is cancelled on the server when the context ends; a rollback is not. A server that is gone does not answer: its
   * connection is then destroyed, else it would be held until TCP gives up.
   */
  async #run<Row>(
    client: PostgresPoolClient,
    destroy: () => void,
    text: string,
    parameters: readonly unknown[],
  ): Promise<PostgresQueryResult<Row>> {
    const signal = text === 'rollback' ? undefined : signalOfContext();
    signal?.throwIfAborted();
    let cancelled: Promise<void> | undefined;
    let late: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      // The embedded database has no processes.
      if (!client.processID) return;
      cancelled = this.#cancel(client.processID, text);
      late = setTimeout(destroy, this.#pool.options.connectionTimeoutMillis);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await answerTo<Row>(client, text, parameters);
    } catch (error) {
      if (isReadOnly(error)) this.#invalidate();
      signal?.throwIfAborted();
      throw databaseError(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
      clearTimeout(late);
      // A late cancellation would hit the next statement of the connection.
      await cancelled;
    }
  }

  /**
   * Cancels a statement, through another connection: all of the pool may be busy. After a failover another server answers, where the
   * process may be of another session: it is cancelled only when it runs this statement.
   */
  async #cancel(processId: number, statement: string): Promise<void> {
    const other = new Client(this.#pool.options);
    other.on('error', () => {});
    try {
      await other.connect();
      await other.query(
        'select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and starts_with($2, query)',
        [processId, statement],
      );
    } catch (error) {
      this.#log.warn({ err: error }, 'could not cancel a statement');
    } finally {
      await other.end();
    }
  }

  /** After a failover, closes the connections that are open now instead of using them again; at most once a second. */
  #invalidate(): void {
    const now = performance.now();
    if (now - this.#validSince > invalidateMs) this.#validSince = now;
  }
}

/** Kysely declares only that the client returns a promise. */
type WithCallback<Row> = (
  text: string,
  parameters: readonly unknown[],
  callback: (error: Error | null, result: PostgresQueryResult<Row>) => void,
) => void;

/**
 * Asks by a callback. The promises of node-postgres lead from each query to the next one: V8 then collects all rows late, and a list takes
 * up to a quarter more processor time.
 */
function answerTo<Row>(client: PostgresPoolClient, text: string, parameters: readonly unknown[]) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const query = client.query.bind(client) as WithCallback<Row>;
  return new Promise<PostgresQueryResult<Row>>((resolve, reject) => {
    query(text, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function signalOfContext(): AbortSignal | undefined {
  const context = current();
  return context === background ? undefined : context.signal;
}
