import { spawn, spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { bundled, type CliOptions } from './cli.ts';

/** Whether util-linux's `script` is installed. It gives a program a real pseudo-terminal. */
export const hasTerminal: boolean = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes(
  'util-linux',
);

/** Input to type after a new text has appeared on the screen and the program reads keys; with `signal`, it need not read any. */
export type Step = readonly [once: string, type: string, how?: 'signal'];

/** Keys without a letter. */
export const keys = {
  enter: '\r',
  space: ' ',
  up: '\u001B[A',
  down: '\u001B[B',
  escape: '\u001B',
  ctrlC: '\u0003',
  ctrlD: '\u0004',
  ctrlU: '\u0015',
} as const;

export interface TerminalResult {
  readonly exitCode: number | null;
  /** All output. */
  readonly output: string;
  /** All output, without colours and cursor movements. */
  readonly screen: string;
  /** Whether the cursor is visible at the end. */
  readonly isCursorShown: boolean;
  /** Whether the terminal edits lines and echoes at the end, as a shell expects. */
  readonly isRestored: boolean;
}

/** Time limit (ms) for a text to appear. */
const patience = 60_000;

/**
 * Runs the bundled `slipway` on a real terminal.
 * @param args the arguments
 * @param steps later input; each step waits for its text to appear after the text of the previous step
 * @param options the folder and the environment, among others
 * @returns the output and the final state of the terminal
 * @throws when a text does not appear in time
 */
export async function onTerminal(
  args: readonly string[],
  steps: readonly Step[],
  { cwd, env = {}, node = process.execPath }: CliOptions,
): Promise<TerminalResult> {
  const command = [node, bundled(), ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  // The last line of the output shows the final settings of the terminal.
  const line = `trap : INT; tty; stty rows 40 cols 100; ${command}; code=$?; echo; stty -a | tr ' ' '\\n' | grep -cxE 'icanon|echo'; exit $code`;
  const child = spawn('script', ['-qfec', line, '/dev/null'], {
    cwd,
    env: { ...process.env, npm_config_user_agent: undefined, SHELL: '/bin/sh', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let seen = 0;
  for (const [once, type, how] of steps) {
    const from = seen;
    await until(
      `"${once}"`,
      () => output.includes(once, from),
      child,
      () => output,
    );
    seen = output.indexOf(once, from) + once.length;
    // Enquirer draws a list once before it takes control of the terminal. Earlier keys would be lost.
    const device = /^\S+/.exec(output)?.[0] ?? '';
    if (how === undefined)
      await until(
        `a program that reads keys after "${once}"`,
        () => readsKeys(device),
        child,
        () => output,
      );
    child.stdin.write(type);
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  const exitCode = await ended;
  clearTimeout(timer);
  const shown = output.lastIndexOf('\u001B[?25h');
  return {
    exitCode,
    output,
    screen: plain(output),
    isCursorShown: shown >= output.lastIndexOf('\u001B[?25l'),
    isRestored: /(^|\s)2\s*$/.test(plain(output)),
  };
}

async function until(
  what: string,
  isSo: () => boolean,
  child: { readonly exitCode: number | null; kill: (signal: NodeJS.Signals) => boolean },
  output: () => string,
): Promise<void> {
  for (const started = Date.now(); !isSo();) {
    if (child.exitCode !== null || Date.now() - started > patience) {
      child.kill('SIGKILL');
      throw new Error(`${what} did not appear:\n${plain(output())}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether the program on a terminal gets each key at once. The terminal collects lines for other programs. */
function readsKeys(device: string): boolean {
  return spawnSync('stty', ['-F', device, '-a'], { encoding: 'utf8' }).stdout.includes('-icanon');
}

function plain(output: string): string {
  return stripVTControlCharacters(output).replaceAll('\r', '');
}
