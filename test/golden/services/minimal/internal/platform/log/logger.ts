import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { background, runWith } from '../../../pkg/context/index.ts';
import { about } from '../app/about.ts';
import { contextFields } from './context.ts';
import { attachControl } from './control.ts';
import { Drops } from './drops.ts';
import { Output } from './output.ts';
import { redact } from './redact.ts';
import { Sampler, type Sampling } from './sampler.ts';
import { isoTime } from './time.ts';

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
