import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { background, current, runWith } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { attachControl } from './control.ts';
import { Output } from './output.ts';
import { Drops, Sampler, type Sampling } from './sampling.ts';

/**
 * For pino's `mixin`: names the request that a line is about, without a logger of its own for each request.
 * @returns the ids of the present context; nothing outside of one
 */
export function contextFields(): Record<string, string> {
  const { id, trace } = current();
  if (id === background.id) return {};
  const fields = { requestId: id, traceId: trace.traceId };
  return trace.sampled ? { ...fields, spanId: trace.spanId } : fields;
}

const secretName = /password|secret|token|credential|authorization|cookie|api[-_]?key/i;
const censor = '[redacted]';
const depthLimit = 8;

/**
 * Hides what stands under a name that sounds secret, however deep: pino's own paths name each depth one by one.
 * @param line the fields of a log line; left untouched
 * @returns the same object when it holds nothing to look into, otherwise a copy
 */
export function redact(line: Record<string, unknown>): Record<string, unknown> {
  for (const key in line) {
    // Most lines are flat: they pay for this loop and nothing else.
    if (isSecret(key, line[key]) || typeof line[key] === 'object') return copy(line, depthLimit);
  }
  return line;
}

function copy(object: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, isSecret(key, value) ? censor : redactValue(value, depth - 1)]),
  );
}

/** Yes or no is nothing that could be kept secret: CORS_CREDENTIALS says whether there are any. */
function isSecret(key: string, value: unknown): boolean {
  return typeof value !== 'boolean' && secretName.test(key);
}

function redactValue(value: unknown, depth: number): unknown {
  // What knows its own JSON, or is an error, is left to the serialisers.
  if (typeof value !== 'object' || value === null || 'toJSON' in value || value instanceof Error) return value;
  if (depth === 0) return '[deep]';
  return Array.isArray(value) ? value.map((item) => redactValue(item, depth - 1)) : copy(value, depth);
}

let lastMs = 0;
let lastText = '';

/**
 * For pino's `timestamp`: ISO 8601, written once for all lines of one millisecond.
 * @returns the field, as it stands in the line
 */
export function isoTime(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = `,"time":"${new Date(ms).toISOString()}"`;
  }
  return lastText;
}

export type { Logger } from 'pino';

/** pino's number for the level from which on every line is logged. */
const warn = 40;

/**
 * Makes the service's logger; each module gets a child of it.
 * @param level least severe level that is logged
 * @param stream where lines go: by default to standard output as JSON, or as coloured text on a developer's terminal
 * @param sampling how many lines of one message are logged within a second; by default all
 * @returns the root logger
 */
export async function createLogger(level: string, stream?: DestinationStream, sampling?: Sampling): Promise<Logger> {
  // Not in the context of the request whose line was the first of them.
  const drops = new Drops((sampled, lost) =>
    runWith(background, () => log[lost > 0 ? 'warn' : 'info']({ sampled, lost }, 'log lines dropped')),
  );
  const output = stream === undefined ? new Output(1, (lines) => drops.add('lost', lines)) : undefined;
  const log = pino(
    {
      level,
      base: { service: about.name, version: about.version },
      timestamp: isoTime,
      mixin: contextFields,
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { err: describeError },
      ...(sampling && sampling.thereafter !== 1 && { hooks: sampledBy(new Sampler(sampling), drops) }),
    },
    stream ?? (output && ((await prettyOnTerminal(output)) ?? output)),
  );
  attachControl(log, drops, output);
  return log;
}

/** Anything can be thrown; what is no error stands in the line as it is. */
function describeError(error: unknown): unknown {
  return error instanceof Error ? redact({ ...pino.stdSerializers.err(error) }) : error;
}

/** Before the line is formatted: what is left out costs next to nothing. */
function sampledBy(sampler: Sampler, drops: Drops): NonNullable<LoggerOptions['hooks']> {
  return {
    logMethod(args, method, level) {
      const [first, second]: readonly unknown[] = args;
      const message = typeof first === 'string' ? first : second;
      if (level >= warn || sampler.keeps(typeof message === 'string' ? message : '')) method.apply(this, args);
      else drops.add('sampled', 1);
    },
  };
}

/** Whether somebody develops here, and reads on a terminal what the service says. */
export function onDevelopersTerminal(): boolean {
  // Not process.stdout: to look at it makes a pipe non-blocking, which is then polled instead of waited for.
  return isatty(1) && process.env['NODE_ENV'] !== 'production';
}

async function prettyOnTerminal(output: Output): Promise<DestinationStream | undefined> {
  if (!onDevelopersTerminal()) return undefined;
  try {
    const { prettyFactory } = await import('pino-pretty');
    const print = prettyFactory({ colorize: true, singleLine: true, ignore: 'service,version' });
    return { write: (line) => output.write(print(line)) };
  } catch {
    // A development dependency: a production install does without.
    return undefined;
  }
}
