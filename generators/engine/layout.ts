import type { Break } from './model.ts';

/** A printed template before its lines are known: texts, breaks, and groups of them that share a line when it fits. */
export type Piece = string | { readonly break: Break } | { readonly group: readonly Piece[] };

/** The `printWidth` in the service's `.oxfmtrc.json`. */
const lineWidth = 120;
const step = '  ';

/** What a break prints in a group on one line. */
const onOneLine: Readonly<Record<Break, string>> = { soft: '', line: ' ', comma: '', dedent: '', close: ' ' };

/** A piece that is due: how its group is printed, and the indent of the line on which the group began. */
interface Due {
  readonly piece: Piece;
  readonly isBroken: boolean;
  readonly indent: string;
}

/**
 * Prints pieces as Prettier prints groups (https://prettier.io/docs/commands): a group is on one line when the line, up to its next
 * possible end, fits into 120 columns and the group holds no line end. Otherwise `soft` and `line` end the line and indent the next
 * one, `dedent` and `close` end the line without indenting the next one, and `comma` is a comma. On one line, `line` and `close` are a space, and
 * the others are nothing.
 * @param pieces the pieces in order
 * @returns the text
 */
export function layOut(pieces: readonly Piece[]): string {
  const done: string[] = [];
  let current = '';
  const write = (text: string): void => {
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) [current] = ['', done.push(current + text.slice(0, end))];
    current += text.slice(end);
  };
  const due = pieces.map((piece): Due => ({ piece, isBroken: true, indent: '' })).toReversed();
  for (let next = due.pop(); next !== undefined; next = due.pop()) {
    const { piece, isBroken, indent } = next;
    if (typeof piece === 'string') write(piece);
    else if ('break' in piece) write(isBroken ? broken(piece.break, indent) : onOneLine[piece.break]);
    else {
      const breaks = isBroken && !fits(piece, lineWidth - current.length, due);
      const own = breaks ? (/^ */.exec(current)?.[0] ?? '') : indent;
      due.push(...piece.group.map((inner): Due => ({ piece: inner, isBroken: breaks, indent: own })).toReversed());
    }
  }
  return done.join('') + current;
}

function broken(kind: Break, indent: string): string {
  if (kind === 'comma') return ',';
  return kind === 'dedent' || kind === 'close' ? `\n${indent}` : `\n${indent}${step}`;
}

/** Whether a group on one line, and what follows it up to the next possible line end, fit into some columns. */
function fits(group: Piece, columns: number, rest: readonly Due[]): boolean {
  let left = columns;
  const ahead = [group];
  let following = rest.length;
  let isInside = true;
  while (left >= 0) {
    if (ahead.length === 0) {
      isInside = false;
      following -= 1;
      const next = rest[following];
      if (next === undefined) return true;
      ahead.push(next.piece);
    }
    const piece = ahead.pop() ?? '';
    if (typeof piece === 'string') {
      const end = piece.indexOf('\n');
      if (end !== -1) return !isInside && end <= left;
      left -= piece.length;
    } else if ('group' in piece) ahead.push(...piece.group.toReversed());
    else if (isInside) left -= onOneLine[piece.break].length;
    else if (piece.break === 'comma') left -= 1;
    else return true;
  }
  return false;
}
