import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { describeRoute } from '../openapi/describe.ts';
import { problems, ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { describeApi } from './module.ts';

const Numbers = Type.Object({ n: Type.Integer() }, { $id: 'Numbers', additionalProperties: false });
const schema = { body: ref(Numbers), response: { 200: ref(Numbers), ...problems } };

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  await describeApi(http);
  http.addSchema(Numbers);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await http.close();
});

async function description(): Promise<unknown> {
  return (await http.inject('/openapi.json')).json();
}

describe('the description of the API', () => {
  it('names its schemas and says that every other reply is a problem', async () => {
    http.post('/numbers', { schema }, ({ body }) => body);
    expect(await description()).toMatchObject({
      openapi: '3.1.0',
      components: { schemas: { Numbers: { type: 'object' }, Problem: { type: 'object' } } },
      paths: {
        '/numbers': {
          post: {
            requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Numbers' } } } },
            responses: {
              default: {
                content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
              },
            },
          },
        },
      },
    });
  });

  it('says of a route what modules say of it, each after the other, and of all routes what they add to the document', async () => {
    http.addHook('onRoute', (route) => {
      describeRoute(route, (said, document) => {
        document.security = [{ bearer: [] }];
        document.components = {
          ...document.components,
          securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
        };
        return { ...said, summary: 'One' };
      });
      describeRoute(route, (said) => ({
        ...said,
        summary: `${said.summary}, and more`,
        hide: route.url === '/hidden',
      }));
    });
    http.post('/numbers', { schema }, ({ body }) => body);
    http.get('/hidden', () => ({}));
    const document = await description();
    expect(document).toMatchObject({
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: {} }, schemas: { Numbers: {} } },
      paths: { '/numbers': { post: { summary: 'One, and more', requestBody: {} } } },
    });
    expect(document).not.toHaveProperty(['paths', '/hidden']);
  });
});

describe('the page at /docs', () => {
  it('loads nothing from anywhere else, under a policy that allows no more', async () => {
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
    expect((await http.inject('/docs/json')).json()).toEqual(await description());
  });

  it('is not there in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    await http.close();
    http = await testHttp();
    await describeApi(http);
    expect((await http.inject('/docs/')).statusCode).toBe(404);
  });
});
