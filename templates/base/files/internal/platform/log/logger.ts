import { isatty } from 'node:tty';
import { type Bindings, type ChildLoggerOptions, type DestinationStream, type Logger, pino } from 'pino';
import { background, current } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { Output } from './output.ts';
import { redact, redactArguments } from './redact.ts';

export type { Logger } from 'pino';

/** How many lines of one kind are logged within a second. */
export interface Sampling {
  /** This many lines first. */
  readonly initial: number;
  /** Then every n-th line: 1 logs all, 0 none. */
  readonly thereafter: number;
}

/** pino's number for `warn`. Lines from this level on are never sampled. */
const warn = 40;

/**
 * Creates the service's logger. Each module gets a child of it.
 * @param level least severe level that is logged
 * @param stream where lines go; by default standard output, as JSON or as coloured text on a developer's terminal
 * @param sampling limits repeated lines; by default all are logged
 * @returns the root logger
 */
export async function createLogger(
  level: string,
  stream?: DestinationStream,
  sampling: Sampling = { initial: 0, thereafter: 1 },
): Promise<Logger> {
  const dropped = { sampled: 0, lost: 0 };
  const keeps = sampler(sampling);
  const output = stream === undefined ? new Output(1, (lines) => void (dropped.lost += lines)) : undefined;
  const log = pino(
    {
      level,
      base: { service: about.name, version: about.version },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: contextFields,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are plain objects by then.
      serializers: { err: (error: unknown) => error },
      onChild: (child) => void controls.set(child, control),
      hooks: {
        // Runs before the line is formatted, so that a dropped line costs little.
        logMethod(args, method, lineLevel) {
          if (lineLevel < warn && !keeps(kindOf(args))) dropped.sampled += 1;
          else Reflect.apply(method, this, redactArguments(args));
        },
      },
    },
    stream ?? (output && ((await prettyOnTerminal(output)) ?? output)),
  );
  // It is applied to the logger whose method is called.
  // oxlint-disable-next-line typescript/unbound-method
  const { child } = log;
  Object.assign(log, {
    child(this: Logger, fields: Bindings, options?: ChildLoggerOptions): Logger {
      return Reflect.apply(child, this, [redact(fields), options]);
    },
  });
  const control: LogControl = {
    dropped,
    changeLevel(to = level) {
      const from = log.level;
      log.level = to;
      if (from !== to) log.warn({ from, to }, 'log level changed');
    },
    flush: async (ms) => (await output?.flush(ms)) ?? true,
  };
  controls.set(log, control);
  return log;
}

/**
 * For pino’s `mixin`: a request needs no logger of its own.
 * @returns the ids of the current context; nothing outside of one
 */
export function contextFields(): Record<string, string> {
  const { id, trace } = current();
  if (id === background.id) return {};
  const fields = { requestId: id, traceId: trace.traceId };
  return trace.sampled ? { ...fields, spanId: trace.spanId } : fields;
}

/** @returns whether standard output is a terminal and the service is not in production */
export function onDevelopersTerminal(): boolean {
  // Reading process.stdout makes a pipe non-blocking, which Node then has to poll.
  return isatty(1) && process.env['NODE_ENV'] !== 'production';
}

async function prettyOnTerminal(output: Output): Promise<DestinationStream | undefined> {
  if (!onDevelopersTerminal()) return undefined;
  try {
    const { prettyFactory } = await import('pino-pretty');
    const print = prettyFactory({ colorize: true, singleLine: true, ignore: 'service,version' });
    return { write: (line) => output.write(print(line)) };
  } catch {
    // A production install has no development dependencies.
    return undefined;
  }
}

/** Milliseconds. */
const window = 1000;
/** Kinds of lines with a count of their own. All others share one count, so that memory is bounded. */
const maxKinds = 1000;

/** @returns what a line is counted by: its message, and for a request also its method, its route and the class of its status */
function kindOf([first, second]: readonly unknown[]): string {
  if (typeof first === 'string') return first;
  try {
    const { method, route, status }: { method?: unknown; route?: unknown; status?: unknown } = first ?? {};
    const kind = typeof status === 'number' ? Math.floor(status / 100) : status;
    return [second, method, route, kind].join(' ');
  } catch {
    return '';
  }
}

/**
 * Chooses lines by kind and second, as zap's sampler does by message: rare lines are always kept.
 * @param sampling how many are kept
 * @returns a function that says whether to log a line of a kind
 */
export function sampler({ initial, thereafter }: Sampling): (kind: string) => boolean {
  const counts = new Map<string, number>();
  let end = 0;
  return (kind) => {
    if (thereafter === 1) return true;
    const now = performance.now();
    if (now >= end) {
      counts.clear();
      end = now + window;
    }
    const key = counts.size < maxKinds || counts.has(kind) ? kind : '';
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count <= initial || (thereafter > 0 && (count - initial) % thereafter === 0);
  };
}

/** Controls a logger and all its children, which share its level. */
export interface LogControl {
  /** Lines that are not in the log: left out by sampling, or lost because they could not be written. */
  readonly dropped: Readonly<Record<'sampled' | 'lost', number>>;
  /**
   * Changes the level and logs the change.
   * @param level one of pino's; by default the configured one
   */
  changeLevel(level?: string): void;
  /**
   * Waits until the log is written. Call it before the process exits.
   * @param ms milliseconds to wait for a reader that reads nothing
   * @returns whether every line is written or lost; false means that a write is stuck
   */
  flush(ms: number): Promise<boolean>;
}

const controls = new WeakMap<Logger, LogControl>();

/**
 * @param log a logger or a child of one
 * @returns its control, if `createLogger` created it
 */
export function controlOf(log: Logger): LogControl | undefined {
  return controls.get(log);
}
