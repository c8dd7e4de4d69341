import { afterEach, describe, expect, it, vi } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { describeApi } from './module.ts';
import type { Http } from '../http/server.ts';

let http: Http;
afterEach(async () => {
  vi.unstubAllEnvs();
  await http.close();
});

describe('the page at /docs', () => {
  it('loads nothing from anywhere else, under a policy that allows no more', async () => {
    http = await testHttp();
    await describeApi(http);
    const { statusCode, headers, body } = await http.inject('/docs/');
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toContain('text/html');
    const urls = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url = '']) => url);
    expect(urls.length).toBeGreaterThan(3);
    for (const url of urls) {
      expect(url).toMatch(/^\.?\//);
      expect((await http.inject(new URL(url, 'http://test/docs/').pathname)).statusCode, url).toBe(200);
    }
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(body).not.toMatch(/<script>|\son\w+=/);
  });

  it('shows what the service says of itself', async () => {
    http = await testHttp();
    await describeApi(http);
    const description = await http.inject('/docs/json');
    expect(description.json()).toEqual((await http.inject('/openapi.json')).json());
  });

  it('is not there in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    http = await testHttp();
    await describeApi(http);
    expect((await http.inject('/docs/')).statusCode).toBe(404);
  });
});
