import { createTwoFilesPatch } from 'diff';
import colors from './colors.ts';
import type { Change } from '../engine/model.ts';
import { decode } from '../engine/text.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';

/**
 * @param prepared a plan
 * @param isForeign whether the plan was made elsewhere; then Slipway's own files are shown as well
 * @returns its changes to the service's files as one unified diff, coloured on a terminal
 */
export function planDiff({ entries, changes, before }: Prepared, isForeign: boolean): string {
  return (isForeign ? changes : entries.flatMap((entry) => entry.changes))
    .map((change) => unifiedDiff(change, before(change.path)))
    .join('');
}

function unifiedDiff(change: Change, before: Uint8Array | undefined): string {
  const { path } = change;
  const after = 'write' in change ? change.write : undefined;
  const [from, to] = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ];
  const patch = createTwoFilesPatch(from, to, textOf(before), textOf(after), undefined, undefined, { context: 3 });
  const isProgram = 'write' in change && (change.mode & 0o111) !== 0;
  const mode = isProgram ? [colors.bold(before === undefined ? 'new file mode 100755' : 'new mode 100755')] : [];
  return [...mode, ...patch.split('\n').slice(1).map(paint)].join('\n');
}

/** Shows bytes that are not text as base64, in lines as in MIME (RFC 2045). */
function textOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return '';
  return (
    decode(bytes) ??
    Buffer.from(bytes)
      .toString('base64')
      .replaceAll(/.{1,76}/g, '$&\n')
  );
}

function paint(line: string): string {
  if (line.startsWith('---') || line.startsWith('+++')) return colors.bold(line);
  if (line.startsWith('@@')) return colors.cyan(line);
  if (line.startsWith('+')) return colors.green(line);
  return line.startsWith('-') ? colors.red(line) : line;
}
