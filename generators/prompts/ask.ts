import ansiColors from 'ansi-colors';
import Enquirer from 'enquirer';
import { exitCodes, SlipwayError } from '../engine/errors.ts';
import { isColored } from '../report/colors.ts';
import { visible } from '../report/visible.ts';

// Enquirer's own colours ignore NO_COLOR and TERM.
ansiColors.enabled = isColored;

/** A question for enquirer. The types of enquirer lack most of its options. */
export type Question = { readonly type: string; readonly message: string } & Readonly<Record<string, unknown>>;

/** The members of enquirer's prompts that its types lack. */
interface Prompt extends NodeJS.EventEmitter {
  /** Releases the terminal. Enquirer calls it when the prompt is closed. */
  readonly stop: () => void;
}

/** Control keys as in a shell, for editing and cancelling. With enquirer's own keys, Ctrl+D ends the process without a message. */
const ctrl = {
  ...{ a: 'first', b: 'backward', e: 'last', f: 'forward', k: 'cutForward', u: 'reset', w: 'cutLeft' },
  ...{ c: 'cancel', d: 'cancel', j: 'submit', m: 'submit' },
};

/**
 * Asks one question on the terminal.
 * @param question for enquirer
 * @returns the user's answer
 * @throws SlipwayError (exit code 1) when the user cancels with Ctrl+C, Ctrl+D or Escape; nothing has been written by
 * then
 */
export async function ask(question: Question): Promise<unknown> {
  const enquirer = new Enquirer<{ answer: unknown }>();
  enquirer.on('prompt', (prompt: Prompt) => prompt.once('start', () => letGoOnce(prompt)));
  const asked = { name: 'answer', actions: { ctrl }, ...size(), ...(shown(question) as Question) };
  try {
    const { answer } = await enquirer.prompt(asked);
    return answer;
  } catch (error) {
    // Enquirer rejects with an empty string when the user cancels.
    if (error !== '' && error !== undefined) throw error;
    throw new SlipwayError(exitCodes.failed, 'cancelled; nothing was written', { cause: error });
  }
}

/** Makes the texts of a question safe, and those that its functions return. Enquirer itself writes them to the terminal. */
function shown(part: unknown): unknown {
  if (typeof part === 'string') return visible(part);
  if (Array.isArray(part)) return part.map(shown);
  if (typeof part === 'function')
    return (...given: readonly unknown[]): unknown => shown(Reflect.apply(part, undefined, given));
  if (typeof part !== 'object' || part === null || part instanceof Promise) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, shown(value)]));
}

/** Enquirer leaves no room for choices when the terminal does not report its size. This returns a default size. */
function size(): { rows?: number; columns?: number } {
  return process.stdout.rows && process.stdout.columns ? {} : { rows: 24, columns: 80 };
}

/**
 * Ctrl+C and Ctrl+D close the readline below the prompt. Closing it again throws from Node 24.2 on (enquirer issue
 * 483). Everything else is released by then, so the error is ignored.
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
