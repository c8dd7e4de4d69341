import type { Action, PlanEntry } from '../engine/model.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';
import { colors, oneLine } from './visible.ts';

interface Told {
  readonly command: string;
  readonly applied: boolean;
  readonly notes: readonly string[];
  /** Next commands for the user. */
  readonly next?: readonly string[];
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
export function planText(prepared: Prepared, told: Told): string {
  const { entries, changes } = prepared;
  return [
    told.diff ?? table(entries),
    ...conflictLines(entries),
    ...told.notes.map((note) => `  ${oneLine(note)}`),
    summary(entries, changes.length, told),
    ...nextSteps(told.next ?? []),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function nextSteps(commands: readonly string[]): string[] {
  return commands.length === 0 ? [] : [`\n${colors.bold('Next:')}`, ...commands.map((command) => `  ${command}`)];
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

function conflictLines(entries: readonly PlanEntry[]): string[] {
  return entries
    .filter((entry) => entry.action === 'conflict')
    .flatMap(({ path, conflicts }) =>
      conflicts.flatMap(({ at, yours, theirs }) => [
        `  ${colors.red(oneLine(`${path}, ${at}`))}`,
        ...indent('yours', yours),
        ...indent('slipway', theirs),
      ]),
    );
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

function summary(entries: readonly PlanEntry[], changes: number, { applied, command }: Told): string {
  const isCheck = command === 'check';
  const conflicts = entries.filter((entry) => entry.action === 'conflict').length;
  if (conflicts > 0) {
    const files = conflicts === 1 ? '1 file has conflicts' : `${conflicts} files have conflicts`;
    const head = colors.red(isCheck ? `Drift: ${files}.` : `${files}; nothing was written.`);
    const choose = isCheck ? 'Resolve them with `slipway update` and' : 'Choose with';
    return `${head} ${choose} --conflict=ours, theirs or markers, or \`slipway eject\` the file.`;
  }
  if (changes === 0) return `${isCheck ? 'No drift' : 'Nothing to do'}: the service is as slipway.json says.`;
  const what = counted(entries);
  if (applied) return `${colors.green('Done:')} ${what}.`;
  return isCheck
    ? `${colors.yellow('Drift:')} ${what}. Bring it back with \`slipway update\`.`
    : `Plan: ${what}; nothing was written.`;
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
