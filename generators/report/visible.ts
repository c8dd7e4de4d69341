/**
 * Text from a file or a command line, for the terminal: what would steer the terminal, or turn the direction of writing, is
 * shown as an escape sequence.
 * @param text any text
 * @returns the same text, with nothing in it but characters and line breaks
 */
export function visible(text: string): string {
  return text.replace(/[^\n\P{C}]|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return character === '\t' ? '  ' : `\\u{${code.toString(16)}}`;
  });
}

/**
 * A word of the user's in a message.
 * @param word as it was typed
 * @returns it between quotation marks, on one line, cut when it is very long
 */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 57)}...` : word);
}
