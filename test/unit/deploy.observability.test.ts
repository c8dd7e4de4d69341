import { Registry, collectDefaultMetrics } from '@prometheus-io/client';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { deployTree, type Document, documents, moduleIds } from '../helpers/deployTree.ts';
import { anchorOf } from '../helpers/documents.ts';

const files = deployTree(moduleIds, undefined, undefined, {
  order: {
    plural: 'orders',
    fields: { status: 'enum(paid,shipped)' },
    states: { status: 'paid>shipped:ship' },
    created: '20261201',
  },
});
const alertFiles = [...files.keys()].filter((path) => /^deploy\/observability\/alerts\/.*\.yaml$/.test(path));
const dashboardFiles = [...files.keys()].filter((path) => /^deploy\/observability\/dashboards\/.*\.json$/.test(path));
const alerts: Document[] = alertFiles.flatMap((path) =>
  documents(files, new RegExp(`^${path}$`)).flatMap(({ groups }) => groups.flatMap(({ rules }: Document) => rules)),
);
const dashboards = dashboardFiles.flatMap((path) => documents(files, new RegExp(`^${path}$`)));
const panels: Document[] = dashboards.flatMap((dashboard) => dashboard.panels);
/** `docs/runbooks/<alert file>.md#<heading>` → the text below this heading. */
const runbooks = new Map(
  [...files]
    .filter(([path]) => path.startsWith('docs/runbooks/'))
    .flatMap(([path, text]) =>
      text
        .split(/^## /m)
        .slice(1)
        .map((section) => [`${path}#${anchorOf(section.split('\n', 1)[0] ?? '')}`, section] as const),
    ),
);

/** Every name of a metric that stands in the code of the base and of all modules, and those of the client library. */
function registeredMetrics(): Set<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const own = [...files]
    .filter(([path]) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .flatMap(([, text]) =>
      [
        ...text.matchAll(
          /(?:\bname(?::| =) |(?:\bcounter|\bgauge|\bhistogram|Gauge)\(\s*(?:registry,\s*)?)'([a-z][a-z0-9]*(?:_[a-z0-9]+)+)'/g,
        ),
      ].map(([, name = '']) => name),
    );
  return new Set([...registry.getMetricsAsArray().map(({ name }) => name), ...own]);
}

/** Names in an expression that are followed by a selector, a range, an operator or nothing, and are no word of PromQL. */
function metricsIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '""')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
    .replace(/\{[^}]*\}/g, '{}');
  return [...bare.matchAll(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b(?!\s*\()/g)].map(([name]) => name);
}

function family(metric: string, known: ReadonlySet<string>): string {
  return known.has(metric) ? metric : metric.replace(/_(?:bucket|count|sum)$/, '');
}

describe('alerts', () => {
  it.each(alerts.map((rule) => [rule.alert ?? rule.record, rule]))(
    '%s asks for metrics that the code has',
    (_, rule) => {
      const known = registeredMetrics();
      const asked = metricsIn(rule.expr).map((metric) => family(metric, known));
      expect(asked.length).toBeGreaterThan(0);
      expect(asked.filter((metric) => !known.has(metric))).toEqual([]);
    },
  );

  it.each(alerts.filter((rule) => rule.alert).map((rule) => [rule.alert, rule]))('%s says what to do', (name, rule) => {
    expect(rule.labels.severity).toMatch(/^(critical|warning)$/);
    expect(rule.annotations.summary).toMatch(/\S/);
    expect(runbooks.get(rule.annotations.runbook_url)).toMatch(new RegExp(`^Alerts?: .*\`${name}\``, 'm'));
  });

  it('has a rule for every runbook', () => {
    expect(new Set(alerts.flatMap((rule) => rule.annotations?.runbook_url ?? []))).toEqual(new Set(runbooks.keys()));
  });

  it('keeps the template expressions of Prometheus, which no template language of ours may eat', () => {
    const own = alertFiles.filter((path) => /\/(http|process)\.yaml$/.test(path));
    const source = (path: string): string =>
      readFileSync(new URL(`../../templates/modules/observability/files/${path}`, import.meta.url), 'utf8');
    expect(own).toHaveLength(2);
    for (const path of own) {
      expect(files.get(path)).toBe(source(path));
      expect(files.get(path)?.match(/\{\{ \$(labels\.\w+|value[ |\w]*) \}\}/g)?.length).toBeGreaterThan(1);
    }
  });
});

describe('dashboards', () => {
  it.each(panels.filter((panel) => panel.targets).map((panel) => [panel.title, panel]))(
    '%s shows metrics that the code has',
    (_, panel) => {
      const known = registeredMetrics();
      const expressions: string[] = panel.targets.map((target: Document) => target.expr);
      const asked = expressions.flatMap(metricsIn).map((metric) => family(metric, known));
      expect(asked.length).toBeGreaterThanOrEqual(expressions.length);
      expect(asked.filter((metric) => !known.has(metric))).toEqual([]);
    },
  );

  it('numbers the panels of each dashboard and lays none over another', () => {
    for (const dashboard of dashboards) {
      const ids = dashboard.panels.map((panel: Document) => panel.id);
      const places = dashboard.panels.map(({ gridPos }: Document) => `${gridPos.x},${gridPos.y}`);
      expect(new Set(ids).size).toBe(ids.length);
      expect(new Set(places).size).toBe(places.length);
    }
  });

  it('has every panel that a runbook sends one to', () => {
    const titles = panels.map((panel) => panel.title);
    const named = [...files]
      .filter(([path]) => path.startsWith('docs/runbooks/'))
      .flatMap(([, text]) => [...text.matchAll(/\b[Pp]anels? ((?:_[^_]+_(?:, | and )?)+)/g)])
      .flatMap(([, list = '']) => [...list.matchAll(/_([^_]+)_/g)].map(([, title]) => title));
    expect(named.length).toBeGreaterThan(5);
    expect(titles).toEqual(expect.arrayContaining(named));
  });
});

/** What promtool is told to see: requests at a steady rate, of which a share fails, or takes long. */
const scenarios = [
  { name: 'few errors', rates: { '200': 999, '500': 1 }, le: '0.1', alerts: [] },
  { name: 'many errors', rates: { '200': 90, '503': 10 }, le: '0.1', alerts: ['HttpErrorBudgetBurn'] },
  { name: 'errors of clients', rates: { '200': 50, '404': 50 }, le: '0.1', alerts: [] },
  { name: 'clients that leave slowly', rates: { '499': 100 }, le: '5', alerts: [] },
  {
    name: 'errors among clients that leave',
    rates: { '200': 98, '503': 2, '499': 900 },
    le: '0.1',
    alerts: ['HttpErrorBudgetBurn'],
  },
  { name: 'slow requests', rates: { '200': 100 }, le: '5', alerts: ['HttpLatencyHigh'] },
];

/** Orders become paid, then shipped, which is the last state. One sample a minute. */
const stateScenarios = [
  { name: 'orders that are shipped', entities: '10+1x480', transitions: '0+1x480', refused: '0x480', alerts: [] },
  {
    name: 'orders that stay paid',
    entities: '10+1x480',
    transitions: '7x480',
    refused: '0x480',
    alerts: ['alertname="ResourceStateStuck", state="paid"'],
  },
  { name: 'no new orders', entities: '10x480', transitions: '0x480', refused: '0x480', alerts: [] },
  { name: 'some refused transitions', entities: '10x480', transitions: '0+60x480', refused: '0+30x480', alerts: [] },
  {
    name: 'more refused transitions than others',
    entities: '10x480',
    transitions: '0+30x480',
    refused: '0+60x480',
    alerts: ['alertname="ResourceTransitionsRefused"'],
  },
];

describe.runIf(spawnSync('promtool', ['--version']).status === 0)('promtool', () => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-alerts-'));

  it('takes every rule file', () => {
    for (const path of alertFiles) {
      const file = join(root, path.replaceAll('/', '-'));
      writeFileSync(file, files.get(path) ?? '');
      const { status, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
      expect([path, status, stderr]).toEqual([path, 0, '']);
    }
    rmSync(root, { recursive: true });
  });

  it.each(scenarios)('fires as it should at $name', ({ rates, le, alerts: expected }) => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-alerts-'));
    const labels = 'namespace="n",job="j",route="/items"';
    const series = Object.entries(rates).flatMap(([status, rate]) => [
      { series: `http_request_duration_seconds_count{${labels},status="${status}"}`, values: `0+${rate}x120` },
      ...[le, '+Inf'].map((bound) => ({
        series: `http_request_duration_seconds_bucket{${labels},status="${status}",le="${bound}"}`,
        values: `0+${rate}x120`,
      })),
      { series: `http_request_duration_seconds_bucket{${labels},status="${status}",le="0.05"}`, values: '0x120' },
    ]);
    const rules = ['HttpErrorBudgetBurn', 'HttpLatencyHigh'];
    const query = `count by (alertname) (ALERTS{alertname=~"${rules.join('|')}",alertstate="firing"})`;
    const samples = expected.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 }));
    writeFileSync(join(folder, 'http.yaml'), files.get('deploy/observability/alerts/http.yaml') ?? '');
    writeFileSync(
      join(folder, 'test.yaml'),
      stringify({
        rule_files: ['http.yaml'],
        tests: [
          {
            interval: '1m',
            input_series: series,
            promql_expr_test: [{ expr: query, eval_time: '100m', exp_samples: samples }],
          },
        ],
      }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', join(folder, 'test.yaml')], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it.each(stateScenarios)('fires as it should at $name', ({ entities, transitions, refused, alerts: expected }) => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-alerts-'));
    const labels = 'namespace="n",job="j"';
    const series = [
      { series: `resource_entities{${labels},resource="orders",state="paid"}`, values: entities },
      { series: `resource_entities{${labels},resource="orders",state="shipped"}`, values: '0+1x480' },
      {
        series: `resource_transitions_total{${labels},resource="orders",from="paid",to="shipped"}`,
        values: transitions,
      },
      { series: `errors_total{${labels},code="invalid_transition"}`, values: refused },
    ];
    const query = 'count by (alertname, state) (ALERTS{alertstate="firing"})';
    const samples = expected.map((alert) => ({ labels: `{${alert}}`, value: 1 }));
    const tests = [
      {
        interval: '1m',
        input_series: series,
        promql_expr_test: [{ expr: query, eval_time: '470m', exp_samples: samples }],
      },
    ];
    writeFileSync(join(folder, 'rules.yaml'), files.get('deploy/observability/alerts/resources.yaml') ?? '');
    writeFileSync(join(folder, 'test.yaml'), stringify({ rule_files: ['rules.yaml'], tests }));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', join(folder, 'test.yaml')], {
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
