import { Counter, type Registry } from '@prometheus-io/client';
import type { Logger } from 'pino';
import type { Output } from './output.ts';
import type { Drops } from './sampling.ts';

const key = Symbol('log control');

/** What can be asked and changed of a logger together with all its children: they have no level of their own. */
export class LogControl {
  readonly #root: Logger;
  readonly #configured: string;
  readonly #drops: Drops;
  readonly #output: Output | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the configured level is back, by `performance.now()`: the clock may be set meanwhile. */
  #end: number | undefined;

  /**
   * @param root the logger that the others are children of
   * @param drops counts the lines that are not in the log
   * @param output where lines wait to be written; undefined when they do not
   */
  constructor(root: Logger, drops: Drops, output: Output | undefined) {
    this.#root = root;
    this.#configured = root.level;
    this.#drops = drops;
    this.#output = output;
  }

  /** The least severe level that is logged now, and until when, unless it stays. */
  get level(): { readonly level: string; readonly until?: Date } {
    const until = this.#until;
    return { level: this.#root.level, ...(until && { until }) };
  }

  /**
   * Changes the level, and says so in the log.
   * @param level one of pino's
   * @param forMs milliseconds after which the configured level is back; without it the new one stays
   */
  changeLevel(level: string, forMs?: number): void {
    clearTimeout(this.#timer);
    this.#end = undefined;
    const from = this.#root.level;
    this.#root.level = level;
    if (forMs !== undefined) {
      this.#end = performance.now() + forMs;
      this.#timer = setTimeout(() => this.changeLevel(this.#configured), forMs).unref();
    }
    this.#root.warn({ from, to: level, until: this.#until }, 'log level changed');
  }

  /** Goes back to the configured level, whatever it was changed to. */
  resetLevel(): void {
    if (this.#root.level !== this.#configured || this.#until !== undefined) this.changeLevel(this.#configured);
  }

  /** By reason, lines that are not in the log, since the process began. */
  get dropped(): Drops['counts'] {
    return this.#drops.counts;
  }

  /**
   * To be waited for before the process exits.
   * @param ms milliseconds to wait for a reader that takes nothing; one that is slow is waited for
   * @returns whether every line is written or known to be lost; false means that a write is stuck
   */
  async flush(ms: number): Promise<boolean> {
    this.#drops.tell();
    return (await this.#output?.flush(ms)) ?? true;
  }

  /** As the clock says it now. */
  get #until(): Date | undefined {
    return this.#end === undefined ? undefined : new Date(Date.now() + this.#end - performance.now());
  }
}

/**
 * Makes a logger's control, which its children have too: their root is their prototype.
 * @param root the logger
 * @param drops counts the lines that are not in the log
 * @param output where lines wait to be written; undefined when they do not
 */
export function attachControl(root: Logger, drops: Drops, output: Output | undefined): void {
  Object.defineProperty(root, key, { value: new LogControl(root, drops, output) });
}

/**
 * @param log a logger or a child of one
 * @returns its control, if `createLogger` made it
 */
export function controlOf(log: Logger): LogControl | undefined {
  const found: unknown = Reflect.get(log, key);
  return found instanceof LogControl ? found : undefined;
}

/**
 * Counts the lines that are not in the log.
 * @param registry where they are to be seen, as `log_lines_dropped_total`
 * @param log any logger of the process
 */
export function measureLogs(registry: Registry, log: Logger): void {
  const control = controlOf(log);
  if (control === undefined) return;
  const counter = new Counter({
    name: 'log_lines_dropped_total',
    help: 'Lines that are not in the log: left out by sampling, or lost because they could not be written.',
    labelNames: ['reason'],
    registers: [],
    collect() {
      this.reset();
      for (const [reason, lines] of Object.entries(control.dropped)) this.inc({ reason }, lines);
    },
  });
  registry.registerMetric(counter);
}
