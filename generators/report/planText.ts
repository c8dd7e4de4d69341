import colors from './colors.ts';
import type { Action, PlanEntry } from '../engine/model.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';
import type { Left } from './left.ts';
import { oneLine } from './visible.ts';

interface Told {
  readonly command: string;
  readonly applied: boolean;
  readonly notes: readonly string[];
  /** What the user has to know or do next. */
  readonly next: readonly string[];
  /** Conflicts that are left to the user. */
  readonly left: readonly Left[];
  /** The versions of the catalogue before and after, when they differ. */
  readonly catalogue?: { readonly from: string; readonly to: string } | undefined;
  /** A diff to show instead of the table. */
  readonly diff?: string;
}

const paint: Readonly<Record<Action, (text: string) => string>> = {
  create: colors.green,
  update: colors.cyan,
  merge: colors.cyan,
  adopt: colors.cyan,
  delete: colors.yellow,
  conflict: colors.red,
  keep: colors.dim,
};

/** The max number of rows by file. A longer plan is shown by folder; `--diff` and `--json` show every file. */
const longestTable = 24;

/**
 * @param prepared a plan
 * @param told the outcome
 * @returns the plan as a short aligned table or a unified diff, followed by a summary
 */
export function planText({ entries, changes }: Prepared, told: Told): string {
  return [
    ...(told.diff === undefined ? shortTable(entries) : [told.diff, table(entries.filter(isKept))]),
    ...entries.filter(({ action }) => action === 'conflict').map(conflictText),
    ...told.notes.map((note) => `  ${oneLine(note)}`),
    summary(entries, changes.length, told),
    ...nextSteps(told),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

/** Why a file of Slipway is missing, and stays so. */
const absences = /^(?:it is missing|you have .* instead|it is not checked out)$/;

function isStanding(entry: PlanEntry): boolean {
  return isKept(entry) && absences.test(entry.reason);
}

function isKept({ action }: PlanEntry): boolean {
  return action === 'keep';
}

/** Puts the files that every run finds missing into one line. A row for each would hide what is new. */
function shortTable(entries: readonly PlanEntry[]): string[] {
  const missing = entries.filter(isStanding).map(({ path }) => path);
  const rows = table(entries.filter((entry) => !isStanding(entry)));
  const [first] = missing;
  if (first === undefined) return [rows];
  const named = missing.length > mostNamed ? `${missing.length} files; --diff names them` : missing.join(', ');
  const way = `slipway update --conflict=theirs:${missing.length === 1 ? first : '<file>'}`;
  return [rows, `  ${colors.dim(oneLine(`left out, because missing: ${named}; \`${way}\` writes it again`))}`];
}

/** The max number of missing files to name. */
const mostNamed = 3;

function nextSteps({ applied, next, left }: Told): string[] {
  const lines = [...(applied ? left.map(toSettle) : []), ...next];
  const head = applied ? 'Next:' : 'Once it is written:';
  return lines.length === 0 ? [] : [`\n${colors.bold(head)}`, ...lines.map((line) => `  ${oneLine(line)}`)];
}

function toSettle({ path, at, how }: Left): string {
  const place = [path, at].filter((part) => part !== undefined).join(', ');
  return how === 'skipped' ? `settle ${place}: slipway update asks again` : `resolve ${place}`;
}

function table(entries: readonly PlanEntry[]): string {
  const rows = rowsOf(entries);
  const width = Math.max(0, ...rows.map(({ path }) => path.length));
  return rows
    .map(
      ({ action, path, reason }) =>
        `  ${paint[action](action.padEnd(8))}  ${reason === '' ? path : `${path.padEnd(width)}  ${colors.dim(oneLine(reason))}`}`,
    )
    .join('\n');
}

type Row = Pick<PlanEntry, 'action' | 'path' | 'reason'>;

/** One row for each file of a short plan, one row for each folder of a long plan. */
function rowsOf(entries: readonly PlanEntry[]): readonly Row[] {
  if (entries.length <= longestTable) return entries;
  const rows = byFolder(entries, 2);
  return rows.length <= longestTable ? rows : byFolder(entries, 1);
}

/** @param depth number of folders of a path to show; with two: `internal/platform/http/` */
function byFolder(entries: readonly PlanEntry[], depth: number): readonly Row[] {
  const groups = new Map<string, { action: Action; path: string; files: number; only: PlanEntry }>();
  for (const entry of entries) {
    const alone = entry.action === 'conflict' || entry.action === 'merge' || entry.action === 'keep';
    const folders = entry.path.split('/').slice(0, -1).slice(0, depth);
    const folder = alone || folders.length === 0 ? entry.path : `${folders.join('/')}/`;
    const key = `${entry.action} ${folder}`;
    const group = groups.get(key) ?? { action: entry.action, path: folder, files: 0, only: entry };
    groups.set(key, { ...group, files: group.files + 1 });
  }
  return [...groups.values()].map(({ action, path, files, only }) =>
    files === 1 ? only : { action, path, reason: `${files} files` },
  );
}

/**
 * @param entry a file with conflicts
 * @returns both sides of each conflict, at most eight lines of each; empty when the conflict is about the whole file
 */
export function conflictText({ path, conflicts }: PlanEntry): string {
  return conflicts
    .flatMap(({ at, yours, theirs }) => [
      `  ${colors.red(oneLine(`${path}, ${at}`))}`,
      ...indent('yours', yours),
      ...indent('slipway', theirs),
    ])
    .join('\n');
}

/** The max number of characters of a line of a conflict. */
const longestLine = 200;

/** Shows at most eight lines of a conflict. */
function indent(who: string, text: string): string[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const shown = lines.length > 8 ? [...lines.slice(0, 7), `… ${lines.length - 7} more lines`] : lines;
  return shown.map(
    (line, index) => `    ${(index === 0 ? who : '').padEnd(8)}${colors.dim('│')} ${line.slice(0, longestLine)}`,
  );
}

function summary(entries: readonly PlanEntry[], changes: number, told: Told): string {
  const { applied, command, catalogue, left } = told;
  const isCheck = command === 'check';
  const conflicting = entries.filter((entry) => entry.action === 'conflict');
  const [first] = conflicting;
  if (first !== undefined) {
    const files = `${filesOf(conflicting.length)} ${conflicting.length === 1 ? 'has' : 'have'} conflicts`;
    const head = colors.red(isCheck ? `Drift: ${files}.` : `${files}; nothing was written.`);
    const choose = isCheck ? 'Resolve them with `slipway update` and' : 'Choose with';
    return `${head} ${choose} --conflict=ours, theirs or markers (for one path: --conflict=ours:${oneLine(first.path)}), or \`slipway eject\` the file.`;
  }
  const what = counted(entries);
  if (left.length > 0) {
    const files = filesOf(new Set(left.map(({ path }) => path)).size);
    const head = colors.red(
      `${isCheck ? 'Drift: conflicts' : 'Conflicts'} ${applied ? 'are' : 'would be'} left in ${files}`,
    );
    return changes === 0 ? `${head}.` : `${head}; ${applied ? 'done' : 'plan'}: ${what}.`;
  }
  if (changes === 0) return `${isCheck ? 'No drift' : 'Nothing to do'}: the service is as slipway.json says.`;
  if (applied) return `${colors.green('Done:')} ${what}.`;
  if (!isCheck) return `Plan: ${what}; nothing was written.`;
  const drift = `${colors.yellow('Drift:')} ${what}. Bring it back with \`slipway update\`.`;
  if (catalogue === undefined) return drift;
  const { from, to } = catalogue;
  return `${colors.yellow('Behind:')} the service is at catalogue ${from}, this Slipway is ${to}: ${what}. Update it with \`slipway update\`, or check it with its own version: npx --package=create-slipway@${from} slipway check`;
}

function filesOf(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

/** Returns, for example, `44 files created, 9 updated`. */
function counted(entries: readonly PlanEntry[]): string {
  const counts = (['create', 'update', 'merge', 'adopt', 'delete'] as const)
    .map((action) => [action, entries.filter((entry) => entry.action === action).length] as const)
    .filter(([, files]) => files > 0)
    .map(([action, files], at) => `${files} ${at > 0 ? '' : files === 1 ? 'file ' : 'files '}${done[action]}`);
  return counts.join(', ') || 'no file, only what Slipway keeps in slipway.json and .slipway';
}

const done = {
  create: 'created',
  update: 'updated',
  merge: 'merged',
  adopt: 'adopted',
  delete: 'deleted',
} as const;
