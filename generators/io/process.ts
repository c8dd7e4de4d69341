import { stripVTControlCharacters } from 'node:util';
import { execa, ExecaError } from 'execa';
import type { Invocation } from '../invocation.ts';

/**
 * Runs a program to its end.
 * @param command the program and its arguments; no shell
 * @param cwd where
 * @returns its output, both streams together
 * @throws ExecaError when it cannot be started or exits with another code than 0
 */
export async function runProcess([program, ...args]: readonly [string, ...string[]], cwd: string): Promise<string> {
  const { all } = await execa(program, args, { cwd, all: true, stdin: 'ignore' });
  return all;
}

/**
 * Runs a command line with a spinner and the seconds it takes, where somebody is watching.
 * @param line program and arguments, separated by spaces
 * @param cwd where
 * @param what it does, in a few words
 * @param invocation tells whether somebody is watching
 * @returns undefined when it worked, otherwise why not, in one line
 */
export async function runWithProgress(
  line: string,
  cwd: string,
  what: string,
  { flags }: Invocation,
): Promise<string | undefined> {
  const stop = flags.quiet || flags.json ? () => {} : await showProgress(what);
  try {
    const [program = '', ...args] = line.split(' ');
    await runProcess([program, ...args], cwd);
    return undefined;
  } catch (error) {
    return explainFailure(error, line);
  } finally {
    stop();
  }
}

/**
 * @param error what `runProcess` threw
 * @param line the command line
 * @returns why it failed, in one line
 */
export function explainFailure(error: unknown, line: string): string {
  const program = line.split(' ')[0] ?? line;
  if (!(error instanceof ExecaError)) return error instanceof Error ? error.message : String(error);
  if (error.code === 'ENOENT') return `${program} is not on this machine`;
  const lines = stripVTControlCharacters(error.all ?? error.stderr ?? '')
    .split('\n')
    .map((text) => text.trim())
    // What has passed may well be called an error.
    .filter((text) => text !== '' && !text.startsWith('✓'));
  const find = (pattern: RegExp): string | undefined => lines.find((text) => pattern.test(text));
  const telling = find(/^FAIL\b/) ?? find(/\berror\b|ERR!|ERR_/i) ?? lines.at(-1) ?? 'no output';
  return `\`${line}\` ${error.exitCode === undefined ? 'was ended' : `exited with ${error.exitCode}`}: ${telling.slice(0, 200)}`;
}

/** On a terminal a spinner, elsewhere one line; gives what ends it. */
async function showProgress(what: string): Promise<() => void> {
  if (!process.stderr.isTTY) {
    process.stderr.write(`${what} …\n`);
    return () => {};
  }
  const { default: yoctoSpinner } = await import('yocto-spinner');
  const started = Date.now();
  const spinner = yoctoSpinner({ text: what }).start();
  const clock = setInterval(() => {
    spinner.text = `${what} (${Math.round((Date.now() - started) / 1000)} s)`;
  }, 1000);
  return () => {
    clearInterval(clock);
    spinner.stop();
  };
}
