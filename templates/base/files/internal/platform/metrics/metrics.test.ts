import { Counter, Registry } from '@prometheus-io/client';
import { describe, expect, it } from 'vitest';
import { Context, newSpanId, runWith } from '../../../pkg/context/index.ts';
import { createMetrics, ErrorCounts, RequestDurations } from './module.ts';

describe('request durations', () => {
  it('are a histogram, cumulative, per method, route and status', () => {
    const durations = new RequestDurations();
    durations.record('GET', '/items/:id', 200, 0.001);
    durations.record('GET', '/items/:id', 200, 0.3);
    durations.record('GET', '/items/:id', 200, 60);
    durations.record('GET', '/items/:id', 404, 0.002);
    const lines = durations.text().split('\n');
    const ok = 'method="GET",route="/items/:id",status="200"';
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE http_request_duration_seconds histogram',
        `http_request_duration_seconds_bucket{le="0.001",${ok}} 1`,
        `http_request_duration_seconds_bucket{le="0.25",${ok}} 1`,
        `http_request_duration_seconds_bucket{le="0.5",${ok}} 2`,
        `http_request_duration_seconds_bucket{le="10",${ok}} 2`,
        `http_request_duration_seconds_bucket{le="+Inf",${ok}} 3`,
        `http_request_duration_seconds_sum{${ok}} 60.301`,
        `http_request_duration_seconds_count{${ok}} 3`,
        'http_request_duration_seconds_count{method="GET",route="/items/:id",status="404"} 1',
      ]),
    );
  });

  it('escape what a label may not hold', () => {
    const durations = new RequestDurations();
    durations.record('GET', '/a"b\\c\n', 200, 0);
    expect(durations.text()).toContain(String.raw`route="/a\"b\\c\n",`);
  });
});

describe('the labels', () => {
  it('do not grow with what callers make up', () => {
    const durations = new RequestDurations();
    for (const method of ['GET', 'PROPFIND', 'LINK', 'PURGE']) durations.record(method, 'unmatched', 404, 0);
    const counts = durations.text().match(/_count\{.*/g);
    expect(counts).toEqual([
      '_count{method="GET",route="unmatched",status="404"} 1',
      '_count{method="_OTHER",route="unmatched",status="404"} 3',
    ]);
  });

  it('of errors are their codes, as far as these are few', async () => {
    const registry = new Registry();
    const errors = new ErrorCounts(registry);
    errors.count('item_not_found');
    errors.count();
    for (let id = 0; id < 1000; id += 1) errors.count(`item_${id}_not_found`);
    errors.count('item_not_found');
    const text = await registry.metrics();
    expect(text).toMatch(/^errors_total\{code="item_not_found"\} 2$/m);
    expect(text).toMatch(/^errors_total\{code="unknown"\} 1$/m);
    expect(text).toMatch(/^errors_total\{code="other"\} 802$/m);
  });
});

describe('OpenMetrics', () => {
  it('has the last traced request of each bucket as its exemplar', async () => {
    const { requests, text, openMetrics } = createMetrics();
    const record = (traceId: string, sampled: boolean, seconds: number): void => {
      const trace = { traceId: traceId.repeat(32), spanId: newSpanId(), sampled };
      runWith(new Context({ id: 'r', trace }), () => requests.record('GET', '/', 200, seconds));
    };
    record('a', true, 0.002);
    record('b', true, 0.002);
    record('c', false, 0.002);
    record('d', false, 0.3);
    const lines = (await openMetrics()).split('\n');
    const buckets = lines.filter((line) => /^http.*le="(0.0025|0.5)"/.test(line));
    expect(buckets).toEqual([
      expect.stringMatching(/ 3 # \{trace_id="b{32}"\} 0\.002 \d+(\.\d+)?$/),
      expect.stringMatching(/ 4$/),
    ]);
    expect(await text()).not.toContain('trace_id');
  });

  it('names the family of a counter without the suffix of its samples, and ends with a mark', async () => {
    const { registry, openMetrics, text } = createMetrics();
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] }).inc();
    const exposition = await openMetrics();
    expect(exposition).toContain('# HELP orders Orders.\n# TYPE orders counter\norders_total 1\n');
    expect(exposition).not.toContain('\n\n');
    expect(exposition.endsWith('\n# EOF\n')).toBe(true);
    // A gauge may be called so, and is left alone.
    expect(exposition).toMatch(/^# TYPE nodejs_active_handles_total gauge$/m);
    expect(await text()).toContain('# TYPE orders_total counter');
  });

  it('finds every counter called by its suffix', async () => {
    const counters = (await createMetrics().text()).match(/^# TYPE \S+ counter$/gm) ?? [];
    expect(counters.filter((line) => !line.includes('_total '))).toEqual([]);
  });
});

describe('the metrics', () => {
  it('hold the process, the build, requests, and what modules add, each name once', async () => {
    const { registry, requests, text } = createMetrics();
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] }).inc();
    requests.record('GET', '/', 200, 0.01);
    const exposition = await text();
    expect(exposition).toMatch(/^process_cpu_seconds_total \d/m);
    expect(exposition).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m);
    expect(exposition).toMatch(/^nodejs_eventloop_utilization/m);
    expect(exposition).toMatch(/^# TYPE nodejs_gc_duration_seconds histogram$/m);
    expect(exposition).toMatch(/^nodejs_heap_size_used_bytes \d/m);
    expect(exposition).toMatch(/^nodejs_active_handles_total \d/m);
    expect(exposition).toMatch(/^process_resident_memory_bytes \d/m);
    expect(exposition).toMatch(/^build_info\{service="[^"]+",version="[^"]+",node="v\d/m);
    expect(exposition).toMatch(/^orders_total 1$/m);
    expect(exposition).toMatch(/^http_request_duration_seconds_count\{.*\} 1$/m);
    const names = exposition.match(/^# TYPE \S+/gm) ?? [];
    expect(new Set(names).size).toBe(names.length);
    expect(exposition.endsWith('\n')).toBe(true);
  });
});
