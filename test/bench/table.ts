import { type Sample, median } from './sample.ts';

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
  const rows = samples.map((sample) => [
    sample.name,
    sample.median.toFixed(1),
    `${sample.least.toFixed(1)}–${sample.most.toFixed(1)}`,
    base === undefined ? '' : (sample.median / base.median).toFixed(2),
  ]);
  return table(['what', 'median, ms', 'range, ms', 'ratio'], rows);
}

/**
 * @param unit of the rates, such as `requests/s`
 * @param names what was measured; the first is what the others are compared with
 * @param rates of each, one for each round
 * @returns a table in Markdown; ratios are taken within each round, then the median: a round in which the machine was slow says as
 * much as any other
 */
export function rateTable(unit: string, names: readonly string[], rates: readonly (readonly number[])[]): string {
  const rows = names.map((name, index) => {
    const own = rates[index] ?? [];
    const ratios = own.map((rate, round) => rate / (rates[0]?.[round] ?? rate)).toSorted((a, b) => a - b);
    const range = `${ratios[0]?.toFixed(2)}–${ratios.at(-1)?.toFixed(2)}`;
    return [name, Math.round(median(own)), median(ratios).toFixed(2), range];
  });
  return table(['what', unit, 'ratio', 'range'], rows);
}
