/** The media type that a scraper names when it takes exemplars. */
export const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/**
 * Rewrites metrics as OpenMetrics 1.0 asks: a counter's family is named without the `_total` that its samples have, there are
 * no blank lines, and the end is marked (https://prometheus.io/docs/specs/om/open_metrics_spec/). The client library has a
 * registry for this format, but one registry prints one of the two formats, and renames the counters in it for good.
 * @param text metrics in Prometheus' text format, version 0.0.4, each counter called `*_total`
 * @returns the same in OpenMetrics
 */
export function openMetrics(text: string): string {
  const counters = new Set(Array.from(text.matchAll(/^# TYPE (\S+)_total counter$/gm), ([, family]) => family));
  const lines = text.split('\n').filter((line) => line !== '');
  const renamed = lines.map((line) =>
    line.replace(/^# (HELP|TYPE) (\S+)_total /, (head, word: string, family: string) =>
      counters.has(family) ? `# ${word} ${family} ` : head,
    ),
  );
  return `${renamed.join('\n')}\n# EOF\n`;
}
