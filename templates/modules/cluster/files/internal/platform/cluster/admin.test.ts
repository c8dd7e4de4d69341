import { expect, it } from 'vitest';
import { joinMetrics } from './admin.ts';

const help = '# HELP requests_total Requests.\n# TYPE requests_total counter\n';

it('labels each sample with its worker, and describes each metric once', () => {
  const text = joinMetrics([
    { worker: '1', text: `${help}requests_total{route="/a"} 3\n\n# HELP up Up.\n# TYPE up gauge\nup 1\n` },
    { worker: '2', text: `${help}requests_total{route="/a"} 4\nrequests_total 1\n` },
  ]);
  expect(text).toBe(
    [
      '# HELP requests_total Requests.',
      '# TYPE requests_total counter',
      'requests_total{worker="1",route="/a"} 3',
      'requests_total{worker="2",route="/a"} 4',
      'requests_total{worker="2"} 1',
      '# HELP up Up.',
      '# TYPE up gauge',
      'up{worker="1"} 1',
      '',
    ].join('\n'),
  );
});
