import { escape } from './colors.ts';

/** Characters that control the terminal or the direction of writing, or that have no shape: all but tabs and line ends. */
const invisible = /\r(?!\n)|[^\t\r\n\P{C}]|[\u2028\u2029]/gu;

/**
 * Makes text safe for the terminal. It is called once, where text leaves the process: files, plans, catalogues and
 * arguments may contain any character.
 * @param text any text, with the colours of `colors`
 * @returns the text, in which characters that are not visible are escape sequences of JavaScript
 */
export function visible(text: string): string {
  return text
    .replaceAll(invisible, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
    .replaceAll(escape, '\x1B');
}

/**
 * Keeps text of others from looking like lines of Slipway.
 * @param text a name or a key that anyone may have chosen
 * @returns the text on one line
 */
export function oneLine(text: string): string {
  return text.replaceAll('\n', String.raw`\u{a}`);
}

/**
 * Prints a value as JSON for the output of `--json`.
 * @param value any value
 * @returns its JSON, in which characters that are not visible are escape sequences of JSON
 */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(invisible, (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at))}`).join(''),
  );
}

function hex(unit: number): string {
  return unit.toString(16).padStart(4, '0');
}

/**
 * Quotes a word of the user in a message.
 * @param word the word as typed
 * @returns the word in quotation marks, on one line, cut when it is very long
 */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 57)}...` : word);
}
