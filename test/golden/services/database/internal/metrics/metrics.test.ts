import { Counter } from '@prometheus-io/client';
import { describe, expect, it } from 'vitest';
import { createMetrics } from './module.ts';
import { RequestDurations } from './requests.ts';

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

describe('the metrics', () => {
  it('hold the process, the build, requests, and what modules add, each name once', async () => {
    const { registry, requests, text } = createMetrics();
    new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] }).inc();
    requests.record('GET', '/', 200, 0.01);
    const exposition = await text();
    expect(exposition).toMatch(/^process_cpu_seconds_total \d/m);
    expect(exposition).toMatch(/^nodejs_eventloop_lag_seconds \d/m);
    expect(exposition).toMatch(/^build_info\{service="[^"]+",version="[^"]+",node="v\d/m);
    expect(exposition).toMatch(/^orders_total 1$/m);
    expect(exposition).toMatch(/^http_request_duration_seconds_count\{.*\} 1$/m);
    const names = exposition.match(/^# TYPE \S+/gm) ?? [];
    expect(new Set(names).size).toBe(names.length);
    expect(exposition.endsWith('\n')).toBe(true);
  });
});
