import { type DestinationStream, type Logger, pino } from 'pino';
import { about } from '../app/about.ts';
import { redact } from './redact.ts';

export type { Logger } from 'pino';

/**
 * Makes the service's logger; each module gets a child of it.
 * @param level least severe level that is logged
 * @param stream where lines go: by default to standard output as JSON, or as coloured text on a developer's terminal
 * @returns the root logger
 */
export async function createLogger(level: string, stream?: DestinationStream): Promise<Logger> {
  return pino(
    {
      level,
      base: { service: about.name, version: about.version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { err: (error: Error) => redact({ ...pino.stdSerializers.err(error) }) },
    },
    // Synchronous: pino's default loses or reorders the last lines of a process that exits.
    stream ?? (await prettyOnTerminal()) ?? pino.destination({ sync: true }),
  );
}

async function prettyOnTerminal(): Promise<DestinationStream | undefined> {
  if (!process.stdout.isTTY || process.env['NODE_ENV'] === 'production') return undefined;
  try {
    const { default: pretty } = await import('pino-pretty');
    return pretty({ sync: true, singleLine: true, ignore: 'service,version' });
  } catch {
    // A development dependency: a production install does without.
    return undefined;
  }
}
