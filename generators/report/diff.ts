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

/** The max number of lines that differ, for the shortest diff. The time grows with its square. */
const maxEditLength = 2000;

/** The diff that replaces every line. */
function rewritten(from: string, to: string, before: string, after: string): string {
  const [old, now] = [before, after].map((text) => text.replace(/\n$/, '').split('\n'));
  const lines = [...(old?.map((line) => `-${line}`) ?? []), ...(now?.map((line) => `+${line}`) ?? [])];
  return ['', `--- ${from}`, `+++ ${to}`, `@@ -1,${old?.length} +1,${now?.length} @@`, ...lines, ''].join('\n');
}

function unifiedDiff(change: Change, before: Uint8Array | undefined): string {
  const { path } = change;
  const after = 'write' in change ? change.write : undefined;
  const [from, to] = [
    before === undefined ? '/dev/null' : `a/${path}`,
    after === undefined ? '/dev/null' : `b/${path}`,
  ];
  const texts = [textOf(before), textOf(after)] as const;
  const options = { context: 3, ...(before && after && { maxEditLength }) };
  const patch = createTwoFilesPatch(from, to, ...texts, undefined, undefined, options) ?? rewritten(from, to, ...texts);
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
