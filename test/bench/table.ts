import type { Sample } from './sample.ts';

type Cells = readonly (string | number)[];

/**
 * @param head names of the columns
 * @param rows their cells
 * @returns a table in Markdown
 */
export function table(head: Cells, rows: readonly Cells[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/**
 * @param samples what was timed
 * @param reference how the name of the one begins that the others are compared with
 * @returns a table in Markdown
 */
export function timeTable(samples: readonly Sample[], reference?: string): string {
  const base = samples.find(({ name }) => reference !== undefined && name.startsWith(reference));
  const rows = samples.map(({ name, median, least, most }) => [
    name,
    median.toFixed(1),
    `${least.toFixed(1)}–${most.toFixed(1)}`,
    base === undefined ? '' : (median / base.median).toFixed(2),
  ]);
  return table(['what', 'median, ms', 'range, ms', 'ratio'], rows);
}
