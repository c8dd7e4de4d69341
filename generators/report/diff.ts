import { createTwoFilesPatch } from 'diff';
import colors from 'picocolors';
import { decode } from '../engine/fileSet.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';

/**
 * @param prepared a plan
 * @returns its changes to the service's files as one unified diff, coloured on a terminal
 */
export function planDiff({ entries, before }: Prepared): string {
  return entries
    .flatMap((entry) => entry.changes)
    .map((change) => unifiedDiff(change.path, before(change.path), 'write' in change ? change.write : undefined))
    .join('');
}

function unifiedDiff(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): string {
  const [from, to] = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ];
  const patch = createTwoFilesPatch(from, to, textOf(before), textOf(after), undefined, undefined, { context: 3 });
  return patch.split('\n').slice(1).map(paint).join('\n');
}

function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : (decode(bytes) ?? 'binary\n');
}

function paint(line: string): string {
  if (line.startsWith('---') || line.startsWith('+++')) return colors.bold(line);
  if (line.startsWith('@@')) return colors.cyan(line);
  if (line.startsWith('+')) return colors.green(line);
  return line.startsWith('-') ? colors.red(line) : line;
}
