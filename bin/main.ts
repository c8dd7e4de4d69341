import colors from 'picocolors';
import { exitCodes, SlipwayError } from '../generators/engine/errors.ts';
import type { Result } from '../generators/result.ts';
import { readArguments, type Request } from './arguments.ts';
import { helpPage } from './commands.ts';

/**
 * Runs the command line and sets the exit code.
 * @param argv arguments after the executable's name
 */
export async function main(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  try {
    const request = readArguments(argv, process.cwd(), process.stdin.isTTY && process.stdout.isTTY);
    const { exitCode, text, json: document } = await carryOut(request);
    process.exitCode = exitCode;
    const quiet = request.kind === 'run' && request.invocation.flags.quiet && exitCode === exitCodes.done;
    if (!quiet) process.stdout.write(`${json ? JSON.stringify(document, null, 2) : text}\n`);
  } catch (error) {
    process.exitCode = error instanceof SlipwayError ? error.exitCode : exitCodes.failed;
    tell(error, json);
  }
}

async function carryOut(request: Request): Promise<Result> {
  if (request.kind === 'run') return (await import('../generators/run.ts')).run(request.invocation);
  const text =
    request.kind === 'help'
      ? helpPage(request.command)
      : (await import('../package.json', { with: { type: 'json' } })).default.version;
  return { exitCode: exitCodes.done, text, json: { [request.kind]: text } };
}

function tell(error: unknown, json: boolean): void {
  const fault = describe(error);
  if (json) process.stdout.write(`${JSON.stringify({ error: fault }, null, 2)}\n`);
  const hint = fault.hint === undefined ? '' : `\n  ${fault.hint}`;
  process.stderr.write(`${colors.red('error')} ${fault.message}${hint}\n`);
}

function describe(error: unknown): { message: string; hint?: string | undefined; details?: unknown } {
  if (error instanceof SlipwayError) return { message: error.message, hint: error.hint, details: error.details };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'syscall' in error)
    return { message, hint: 'the machine refused; nothing was half done' };
  const trace = process.env['SLIPWAY_DEBUG'] === undefined || !(error instanceof Error) ? undefined : error.stack;
  return {
    message: `a fault of Slipway itself: ${message}`,
    hint: trace ?? 'please report it; SLIPWAY_DEBUG=1 shows where',
  };
}
