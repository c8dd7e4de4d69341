/**
 * Makes text from a file or a command line safe for the terminal. Characters that control the terminal or the
 * direction of writing become escape sequences.
 * @param text any text
 * @returns the text with visible characters and line breaks only
 */
export function visible(text: string): string {
  return text.replace(/[^\n\P{C}]|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return character === '\t' ? '  ' : `\\u{${code.toString(16)}}`;
  });
}

/**
 * Quotes a word of the user in a message.
 * @param word the word as typed
 * @returns the word in quotation marks, on one line, cut when it is very long
 */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 57)}...` : word);
}
