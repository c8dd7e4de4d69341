import { eastAsianWidth } from 'get-east-asian-width';
import type { Break } from './model.ts';

/** A printed template before its lines are known: texts, breaks, and groups of them that share a line when it fits. */
export type Piece = string | { readonly break: Break } | Group;

/** Pieces that share a line. An open one is never on one line. */
export interface Group {
  readonly group: readonly Piece[];
  readonly isOpen?: boolean;
}

/** The `printWidth` in the service's `.oxfmtrc.json`. */
const lineWidth = 120;
const step = '  ';

/** What a break prints in a group on one line. */
const onOneLine: Readonly<Record<Break, string>> = {
  ...{ soft: '', line: ' ', comma: '', dedent: '', close: ' ' },
  ...{ fill: ' ', hug: '' },
};

/** A piece that is due: how its group is printed, and the indent of the line on which the group began. */
interface Due {
  readonly piece: Piece;
  readonly isBroken: boolean;
  readonly indent: string;
  /** Whether it is a group that is broken although it may fit. */
  readonly mustBreak?: boolean;
}

/**
 * Prints pieces as Prettier prints groups (https://prettier.io/docs/commands): a group is on one line when the line, up to its next
 * possible end, fits into 120 columns and the group holds no line end. Otherwise `soft` and `line` end the line and indent the next
 * one, `dedent` and `close` end the line without indenting the next one, and `comma` is a comma. On one line, `line` and `close` are a space, and
 * the others are nothing. `fill` ends the line only when the next text does not fit. `hug` precedes a last group: when it is enough to break
 * that one, the rest stays on one line.
 * @param pieces the pieces in order
 * @returns the text
 */
export function layOut(pieces: readonly Piece[]): string {
  // Most files have no group.
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('');
  const done: string[] = [];
  let current = '';
  const write = (text: string): void => {
    const end = text.lastIndexOf('\n') + 1;
    if (end > 0) [current] = ['', done.push(current + text.slice(0, end))];
    current += text.slice(end);
  };
  const due = pieces.map((piece): Due => ({ piece, isBroken: true, indent: '' })).toReversed();
  for (let next = due.pop(); next !== undefined; next = due.pop()) {
    const { piece, isBroken, indent, mustBreak = false } = next;
    if (typeof piece === 'string') write(piece);
    else if ('break' in piece) {
      const isFilled = piece.break === 'fill' && widthOf(current) + nextWidth(due) <= lineWidth;
      write(isBroken && !isFilled ? broken(piece.break, indent) : onOneLine[piece.break]);
    } else {
      const left = lineWidth - widthOf(current);
      const breaks = mustBreak || (isBroken && !fits(piece, left, due));
      const own = breaks ? (/^ */.exec(current)?.[0] ?? '') : indent;
      const last = breaks ? hugged(piece, left) : undefined;
      due.push(
        ...piece.group
          .map((inner): Due => {
            const isLast = inner === last;
            return { piece: inner, isBroken: breaks && (last === undefined || isLast), indent: own, mustBreak: isLast };
          })
          .toReversed(),
      );
    }
  }
  return done.join('') + current;
}

/** Columns of a space, the next text and its comma. */
function nextWidth(due: readonly Due[]): number {
  const next = due.at(-1)?.piece;
  return typeof next === 'string' ? widthOf(next) + 2 : 0;
}

/** Returns the last group, when what precedes it fits into some columns on one line, up to the first line end in that group. */
function hugged({ group }: Group, columns: number): Group | undefined {
  const at = group.findIndex((piece) => typeof piece !== 'string' && 'break' in piece && piece.break === 'hug');
  const last = group[at + 1];
  if (at === -1 || last === undefined || typeof last === 'string' || 'break' in last) return undefined;
  const end = last.group.findIndex((piece) => typeof piece !== 'string');
  const start = { group: [...group.slice(0, at), ...last.group.slice(0, end)] };
  return fits(start, columns, []) ? last : undefined;
}

function broken(kind: Break, indent: string): string {
  if (kind === 'comma') return ',';
  if (kind === 'hug') return '';
  return kind === 'dedent' || kind === 'close' ? `\n${indent}` : `\n${indent}${step}`;
}

/** Whether a group on one line, and what follows it up to the next possible line end, fit into some columns. */
function fits(group: Group, columns: number, rest: readonly Due[]): boolean {
  let left = columns;
  const ahead: Piece[] = [group];
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
      left -= widthOf(piece);
    } else if ('group' in piece) {
      if (isInside && piece.isOpen) return false;
      ahead.push(...piece.group.toReversed());
    } else if (isInside) left -= onOneLine[piece.break].length;
    else if (piece.break === 'comma') left -= 1;
    else if (piece.break !== 'hug') return true;
  }
  return false;
}

/** Columns of a text: the characters of Chinese, Japanese and Korean take two each. */
function widthOf(text: string): number {
  // Most texts are of ASCII.
  if (/^[ -~]*$/.test(text)) return text.length;
  return Array.from(text).reduce(
    (sum, char) => sum + (/^\p{M}$/u.test(char) ? 0 : eastAsianWidth(char.codePointAt(0) ?? 0)),
    0,
  );
}
