import colors from 'picocolors';
import type { Action, PlanEntry } from '../engine/reconcile/plan.ts';
import type { Prepared } from '../engine/reconcile/prepare.ts';

interface Told {
  readonly command: string;
  readonly applied: boolean;
  readonly notes: readonly string[];
  /** Shown in place of the table. */
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

/** Longer plans are told by folder; `--diff` and `--json` show every file. */
const longestTable = 24;

/**
 * @param prepared a plan
 * @param told what became of it
 * @returns the plan as a short aligned table, or as a unified diff, and what it comes to
 */
export function planText(prepared: Prepared, told: Told): string {
  const { entries, changes } = prepared;
  return [
    told.diff ?? table(entries),
    ...conflictLines(entries),
    ...told.notes.map((note) => `  ${note}`),
    summary(entries, changes.length, told),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function table(entries: readonly PlanEntry[]): string {
  const rows =
    entries.length > longestTable
      ? byFolder(entries)
      : entries.map(({ action, path, reason }) => ({ action, path, reason }));
  const width = Math.max(0, ...rows.map(({ path }) => path.length));
  return rows
    .map(
      ({ action, path, reason }) =>
        `  ${paint[action](action.padEnd(8))}  ${reason === '' ? path : `${path.padEnd(width)}  ${colors.dim(reason)}`}`,
    )
    .join('\n');
}

function byFolder(entries: readonly PlanEntry[]): { action: Action; path: string; reason: string }[] {
  const groups = new Map<string, { action: Action; path: string; files: number; only: PlanEntry }>();
  for (const entry of entries) {
    const alone = entry.action === 'conflict' || entry.action === 'merge' || entry.action === 'keep';
    const folder = alone ? entry.path : folderOf(entry.path);
    const key = `${entry.action} ${folder}`;
    const group = groups.get(key) ?? { action: entry.action, path: folder, files: 0, only: entry };
    groups.set(key, { ...group, files: group.files + 1 });
  }
  return [...groups.values()].map(({ action, path, files, only }) =>
    files === 1 ? { action, path: only.path, reason: only.reason } : { action, path, reason: `${files} files` },
  );
}

/** At most two folders deep: `internal/http/`. */
function folderOf(path: string): string {
  const folders = path.split('/').slice(0, -1).slice(0, 2);
  return folders.length === 0 ? path : `${folders.join('/')}/`;
}

function conflictLines(entries: readonly PlanEntry[]): string[] {
  return entries
    .filter((entry) => entry.action === 'conflict')
    .flatMap(({ path, conflicts }) =>
      conflicts.flatMap(({ at, yours, theirs }) => [
        `  ${colors.red(`${path}, ${at}`)}`,
        ...indent('yours', yours),
        ...indent('slipway', theirs),
      ]),
    );
}

/** At most eight lines of a place in conflict. */
function indent(who: string, text: string): string[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const shown = lines.length > 8 ? [...lines.slice(0, 7), `… ${lines.length - 7} more lines`] : lines;
  return shown.map((line, index) => `    ${(index === 0 ? who : '').padEnd(8)}${colors.dim('│')} ${line}`);
}

function summary(entries: readonly PlanEntry[], changes: number, { applied, command }: Told): string {
  const conflicts = entries.filter((entry) => entry.action === 'conflict').length;
  if (conflicts > 0) {
    const files = conflicts === 1 ? '1 file needs' : `${conflicts} files need`;
    return `${colors.red(`${files} your word; nothing was written.`)} Choose with --conflict=ours, theirs or markers, or \`slipway eject\` the file.`;
  }
  if (changes === 0)
    return command === 'check'
      ? 'No drift: the service is as slipway.json says.'
      : 'Nothing to do: the service is as slipway.json says.';
  const counts = (['create', 'update', 'merge', 'adopt', 'delete', 'keep'] as const)
    .map((action) => [action, entries.filter((entry) => entry.action === action).length] as const)
    .filter(([, files]) => files > 0)
    .map(([action, files]) => `${files} ${done[action]}`);
  const what = counts.length === 0 ? 'bookkeeping only' : counts.join(', ');
  if (applied) return `${colors.green('Done:')} ${what}.`;
  return command === 'check'
    ? `${colors.yellow('Drift:')} ${what}. Bring it back with \`slipway update\`.`
    : `Plan: ${what}; nothing was written.`;
}

const done = {
  create: 'created',
  update: 'updated',
  merge: 'merged',
  adopt: 'adopted',
  delete: 'deleted',
  keep: 'kept',
} as const;
