import { longestIncreasing } from './longestIncreasing.ts';

/**
 * @param text any text
 * @returns the text with LF line ends
 */
export function withLf(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

/**
 * Gives a text the line ends of another text. All are CRLF when all in the other are CRLF. Mixed line ends are matched line by line.
 * @param text with LF line ends
 * @param model the text whose line ends to use
 * @returns the text with these line ends; a line that is not in the model gets the line end of the line before
 */
export function withLineEndsOf(text: string, model: string): string {
  if (!model.includes('\r\n')) return text;
  if (!/(?<!\r)\n/.test(model)) return text.replaceAll('\n', '\r\n');
  const modelLines = model.split('\n');
  const ends = modelLines.map((line) => (line.endsWith('\r') ? '\r\n' : '\n'));
  const lines = text.split('\n');
  const matches = matchLines(lines, withLf(model).split('\n'));
  let end = ends[0] ?? '\n';
  return lines
    .map((line, index) => {
      if (index === lines.length - 1) return line;
      const match = matches.get(index);
      end = match === undefined || match === ends.length - 1 ? end : (ends[match] ?? end);
      return line + end;
    })
    .join('');
}

/** Returns index of a line → index of the same line in the model, in ascending order. */
function matchLines(lines: readonly string[], model: readonly string[]): Map<number, number> {
  const [places, modelPlaces] = [groupPlaces(lines), groupPlaces(model)];
  const pairs: { line: number; model: number }[] = [];
  for (const [text, indexes] of places) {
    const others = modelPlaces.get(text) ?? [];
    // Lines that occur equally often in both texts are matched in order.
    if (others.length !== indexes.length) continue;
    for (const [count, index] of indexes.entries()) pairs.push({ line: index, model: others[count] ?? index });
  }
  const anchors = longestIncreasing(
    pairs.toSorted((some, other) => some.line - other.line),
    (pair) => pair.model,
  );
  const matches = new Map<number, number>();
  let [line, other] = [0, 0];
  for (const anchor of [...anchors, { line: lines.length, model: model.length }]) {
    // Between two anchors, equal lines are matched from both ends.
    while (line < anchor.line && other < anchor.model && lines[line] === model[other]) matches.set(line++, other++);
    let [lastLine, lastOther] = [anchor.line - 1, anchor.model - 1];
    while (lastLine >= line && lastOther >= other && lines[lastLine] === model[lastOther]) {
      matches.set(lastLine--, lastOther--);
    }
    if (anchor.line < lines.length) matches.set(anchor.line, anchor.model);
    [line, other] = [anchor.line + 1, anchor.model + 1];
  }
  return matches;
}

function groupPlaces(lines: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const others = places.get(line);
    if (others === undefined) places.set(line, [index]);
    else others.push(index);
  }
  return places;
}
