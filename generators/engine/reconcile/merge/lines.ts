/** A text as lines. The final newline is stored separately, so the merge never joins two lines. */
export interface Lines {
  readonly lines: readonly string[];
  readonly ended: boolean;
}

/**
 * @param text any text
 * @returns its lines
 */
export function readLines(text: string): Lines {
  const ended = text === '' || text.endsWith('\n');
  return { lines: text === '' ? [] : (ended ? text.slice(0, -1) : text).split('\n'), ended };
}

/**
 * @param lines of a text
 * @returns the text
 */
export function writeLines({ lines, ended }: Lines): string {
  return lines.length === 0 ? '' : `${lines.join('\n')}${ended ? '\n' : ''}`;
}

/** Appends items. It does not use `push(...more)`, because a long list of arguments overflows the stack. */
export function append(list: string[], more: readonly string[]): void {
  for (const item of more) list.push(item);
}
