import { endOfLine, lineIndent } from './jsonText.ts';
import { printJson } from './jsonTree.ts';
import type { TreeConflict } from './mergeTree.ts';
import type { Tree } from './tree.ts';
import type { Side } from './types.ts';

/**
 * @param index of a conflict
 * @returns a value that stands in its place until {@link markConflicts} shows it
 */
export function placeholder(index: number): Tree {
  return JSON.stringify(`\0conflict ${index}\0`);
}

const placeholders = /"\\u0000conflict (\d+)\\u0000"/g;

/**
 * Shows conflicts with diff3's markers around the lines they stand in.
 * @param text JSON with placeholders
 * @param conflicts by the number in their placeholder
 * @param inline objects and arrays that are written on one line
 * @returns the text with markers
 */
export function markConflicts(text: string, conflicts: readonly TreeConflict[], inline: ReadonlySet<Tree>): string {
  const newLine = endOfLine(text);
  const style = { endOfLine: newLine, step: '  ', inline };
  const show = (line: string, side: Side): string[] => {
    const indent = lineIndent(line, line.length);
    const values = [...line.matchAll(placeholders)].map(([, index]) => conflicts[Number(index)]?.[side]);
    // A place that one side has not got is shown by the absence of its line.
    if (values.every((value) => value === undefined)) return [];
    let next = 0;
    return [
      line.replace(placeholders, () => {
        const value = values[next];
        next += 1;
        return value === undefined ? 'null' : printJson(value, indent, style);
      }),
    ];
  };
  return text
    .split(newLine)
    .flatMap((line) =>
      line.search(placeholders) === -1
        ? [line]
        : [
            '<<<<<<< yours',
            ...show(line, 'yours'),
            '||||||| base',
            ...show(line, 'base'),
            '=======',
            ...show(line, 'theirs'),
            '>>>>>>> slipway',
          ],
    )
    .join(newLine);
}
