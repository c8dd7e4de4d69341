import { constants } from 'node:os';
import colors from '../generators/report/colors.ts';
import { exitCodes, SlipwayError } from '../generators/engine/errors.ts';
import { visible, visibleJson } from '../generators/report/visible.ts';
import type { Result } from '../generators/result.ts';
import { readArguments, type Request } from './arguments.ts';

/**
 * Runs the command line and sets the exit code.
 * @param argv arguments after the executable's name
 */
export async function main(argv: readonly string[]): Promise<void> {
  const json = argv.includes('--json');
  endByExit();
  process.stdout.on('error', tellLostOutput);
  // An error of the error stream cannot be reported.
  process.stderr.on('error', () => {});
  try {
    // The order matters: the first access creates the stream, which takes milliseconds.
    const interactive = process.stdout.isTTY && process.stdin.isTTY;
    const request = await readArguments(argv, currentFolder(), interactive);
    const { exitCode, text, json: document, fault } = await carryOut(request);
    process.exitCode = exitCode;
    const quiet = !json && request.kind === 'run' && request.invocation.flags.quiet;
    const silent = quiet && (exitCode === exitCodes.done || fault !== undefined);
    if (!silent) process.stdout.write(`${json ? visibleJson(document) : visible(text)}\n`);
    if (fault !== undefined) tell(describe(fault));
  } catch (error) {
    const fault = describe(error);
    const exitCode = error instanceof SlipwayError ? error.exitCode : exitCodes.failed;
    process.exitCode = exitCode;
    if (json) process.stdout.write(`${visibleJson({ exitCode, error: fault })}\n`);
    tell(fault);
  }
}

/**
 * Makes a signal end the process with `process.exit()`. The exit handlers then release the service's lock and remove
 * temporary files. The signal is handled only between event loop turns, so it cannot interrupt the writing of several
 * files.
 */
function endByExit(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // The delay lets the spinner's own signal handler show the cursor first.
    process.on(signal, () => setImmediate(() => process.exit(128 + constants.signals[signal])));
  }
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new SlipwayError(exitCodes.badInput, 'the folder that this was started in is gone', {
      hint: 'change into one that is there: cd ~',
      cause: error,
    });
  }
}

async function carryOut(request: Request): Promise<Result> {
  if (request.kind === 'run') return (await import('../generators/run.ts')).run(request.invocation);
  const text =
    request.kind === 'help'
      ? await (await import('./help.ts')).helpPage(request.command)
      : (await import('../package.json', { with: { type: 'json' } })).default.version;
  return { exitCode: exitCodes.done, text, json: { [request.kind]: text } };
}

/** Reports a write error such as a full disk. A closed pipe (`| head -1`) is not an error. */
function tellLostOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.exitCode = exitCodes.failed;
  tell({ message: `the output could not be written: ${error.message}` });
}

interface Fault {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details?: unknown;
}

function tell({ message, hint }: Fault): void {
  const text = hint === undefined ? message : `${message}\n  ${hint}`;
  process.stderr.write(visible(`${colors.red('error')} ${text}\n`));
}

/** The max length of an error. A message may name a file or a key, whose name may have any length. */
const longestMessage = 4000;

function describe(error: unknown): Fault {
  const whole = error instanceof Error ? error.message : String(error);
  const message = whole.length > longestMessage ? `${whole.slice(0, longestMessage)}…` : whole;
  if (error instanceof SlipwayError) return { message, hint: error.hint, details: error.details };
  if (error instanceof Error && 'syscall' in error)
    return { message, hint: 'the machine refused; nothing was half done' };
  const trace = process.env['SLIPWAY_DEBUG'] === undefined || !(error instanceof Error) ? undefined : error.stack;
  return {
    message: `a fault of Slipway itself: ${message}`,
    hint: trace ?? 'please report it; SLIPWAY_DEBUG=1 shows where',
  };
}
