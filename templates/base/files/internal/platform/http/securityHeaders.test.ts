import { afterEach, expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import type { Http } from './server.ts';

let http: Http;
afterEach(() => http.close());

it.each(['/version', '/nothing'])('stand on every reply: %s', async (url) => {
  http = await testHttp();
  const { headers } = await http.inject(url);
  expect(headers).toMatchObject({
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringContaining('max-age='),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  expect(headers).not.toHaveProperty('x-powered-by');
});
