import { expect, it } from 'vitest';
import { about } from './about.ts';
import { banner } from './run.ts';

it('the banner names the service and lines up what can be opened', () => {
  expect(banner({ API: 'http://localhost:8080', metrics: 'http://localhost:9090/metrics' })).toBe(
    [
      '',
      `  ${about.name} ${about.version} is ready`,
      '',
      '  API      http://localhost:8080',
      '  metrics  http://localhost:9090/metrics',
      '',
      '',
    ].join('\n'),
  );
});
