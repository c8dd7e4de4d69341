import type { PostgresPool } from 'kysely';
import { Client, type Pool } from 'pg';
import type { Logger } from '../log/logger.ts';
import { currentSignal } from './cancellation.ts';
import { Checkout } from './checkout.ts';
import { connectError, PoolExhaustedError } from './errors.ts';
import type { PostgresMetrics } from './metrics.ts';

export interface Supervision {
  /** A connection held for longer is logged; 0 is never. */
  readonly warnMs: number;
  /** A connection held for longer is destroyed; 0 is never. */
  readonly maxMs: number;
  readonly log: Logger;
  readonly metrics: Pick<PostgresMetrics, 'wait' | 'checkout' | 'leaks' | 'reclaimed' | 'exhausted'>;
}

/** A pool that knows who holds its connections: it names who holds one for long, and takes it away in the end. */
export class SupervisedPool implements PostgresPool {
  readonly #pool: Pool;
  readonly #supervision: Supervision;
  readonly #held = new Set<Checkout>();
  readonly #warned = new WeakSet<Checkout>();
  readonly #sweeper: NodeJS.Timeout | undefined;

  /**
   * @param pool the pool, which this one owns from now on
   * @param supervision the limits, and where to tell
   */
  constructor(pool: Pool, supervision: Supervision) {
    this.#pool = pool;
    this.#supervision = supervision;
    const limits = [supervision.warnMs, supervision.maxMs].filter((limit) => limit > 0);
    if (limits.length > 0) {
      // One timer for all, not one for each checkout: a limit is kept within a tenth.
      this.#sweeper = setInterval(() => this.#sweep(), Math.ceil(Math.min(...limits) / 10)).unref();
    }
    pool.on('error', (error) => supervision.log.warn({ err: error }, 'an idle database connection broke'));
    // Without a listener, a connection that breaks while it is held would end the process. Its query fails anyway.
    pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** What the pool was made with; Kysely reads it. */
  get options(): object {
    return this.#pool.options;
  }

  /**
   * Takes a connection, waiting for one if all are held.
   * @returns the connection, to be released
   * @throws PoolExhaustedError when none became free in time; DatabaseUnavailableError when no server answers
   */
  async connect(): Promise<Checkout> {
    const taken = callSite();
    const { metrics } = this.#supervision;
    currentSignal()?.throwIfAborted();
    const stopWaiting = metrics.wait.startTimer();
    try {
      const client = await this.#pool.connect();
      const checkout = new Checkout(client, { cancel: this.#cancel, returned: this.#returned }, taken);
      this.#held.add(checkout);
      return checkout;
    } catch (error) {
      const failure = connectError(error);
      if (failure instanceof PoolExhaustedError) metrics.exhausted.inc();
      throw failure;
    } finally {
      stopWaiting();
    }
  }

  /**
   * Closes the pool: waits for the connections that are held.
   * @param signal when aborted, takes those away
   */
  async end(signal?: AbortSignal): Promise<void> {
    const reclaim = () => this.#held.forEach((checkout) => checkout.reclaim());
    signal?.addEventListener('abort', reclaim, { once: true });
    await this.#pool.end();
    signal?.removeEventListener('abort', reclaim);
    clearInterval(this.#sweeper);
  }

  readonly #returned = (checkout: Checkout): void => {
    this.#held.delete(checkout);
    this.#supervision.metrics.checkout.observe(checkout.heldMs / 1000);
  };

  /** On a connection of its own: those of the pool may all be busy with what is to be stopped. */
  readonly #cancel = async (processId: number): Promise<void> => {
    const client = new Client(this.#pool.options);
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select pg_cancel_backend($1)', [processId]);
    } catch (error) {
      this.#supervision.log.warn({ err: error }, 'could not cancel a statement');
    } finally {
      await client.end();
    }
  };

  #sweep(): void {
    const { warnMs, maxMs, log, metrics } = this.#supervision;
    for (const checkout of this.#held) {
      const { heldMs } = checkout;
      if (maxMs > 0 && heldMs > maxMs) {
        metrics.reclaimed.inc();
        log.error(
          { heldMs: Math.round(heldMs), stack: checkout.stack },
          'database connection held for too long: taken away',
        );
        checkout.reclaim();
      } else if (warnMs > 0 && heldMs > warnMs && !this.#warned.has(checkout)) {
        this.#warned.add(checkout);
        metrics.leaks.inc();
        log.warn(
          { heldMs: Math.round(heldMs), stack: checkout.stack },
          'database connection held for long: is it released?',
        );
      }
    }
  }
}

/** @returns an error whose stack reaches through the query builder to who asked; the text of a stack is made when read */
function callSite(): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50;
  const site = new Error('database connection taken');
  Error.stackTraceLimit = stackTraceLimit;
  return site;
}
