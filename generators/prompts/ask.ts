import Enquirer from 'enquirer';
import { exitCodes, SlipwayError } from '../engine/errors.ts';

/** What enquirer is asked with; its own types leave most of it out. */
export type Question = { readonly type: string; readonly message: string } & Readonly<Record<string, unknown>>;

/** The part of enquirer's prompts that its types leave out. */
interface Prompt extends NodeJS.EventEmitter {
  /** Lets go of the terminal; called once the prompt is closed. */
  readonly stop: () => void;
}

/** Control keys as in a shell: to edit a line, and to give up; enquirer's own let Ctrl+D end the process in silence. */
const ctrl = {
  ...{ a: 'first', b: 'backward', e: 'last', f: 'forward', k: 'cutForward', u: 'reset', w: 'cutLeft' },
  ...{ c: 'cancel', d: 'cancel', j: 'submit', m: 'submit' },
};

/**
 * Asks one question on the terminal.
 * @param question for enquirer
 * @returns what the user answered
 * @throws SlipwayError (exit code 1) when the user gives up with Ctrl+C, Ctrl+D or Escape; nothing has been written by then
 */
export async function ask(question: Question): Promise<unknown> {
  const enquirer = new Enquirer<{ answer: unknown }>();
  enquirer.on('prompt', (prompt: Prompt) => prompt.once('start', () => letGoOnce(prompt)));
  const asked: Question & { name: string } = { name: 'answer', actions: { ctrl }, ...size(), ...question };
  try {
    const { answer } = await enquirer.prompt(asked);
    return answer;
  } catch (error) {
    // Enquirer rejects with an empty string.
    if (error !== '' && error !== undefined) throw error;
    throw new SlipwayError(exitCodes.failed, 'cancelled; nothing was written', { cause: error });
  }
}

/** Where a terminal does not tell its size, enquirer would leave no room for choices. */
function size(): { rows?: number; columns?: number } {
  return process.stdout.rows && process.stdout.columns ? {} : { rows: 24, columns: 80 };
}

/**
 * Ctrl+C and Ctrl+D close the readline underneath, and closing it again throws from Node 24.2 on (enquirer issue 483). By
 * then everything else has been let go.
 */
function letGoOnce(prompt: Prompt): void {
  const { stop } = prompt;
  prompt.off('close', stop);
  prompt.once('close', () => {
    try {
      stop();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_USE_AFTER_CLOSE')) throw error;
    }
  });
}
