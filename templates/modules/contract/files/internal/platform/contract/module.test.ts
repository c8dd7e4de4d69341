import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
afterEach(() => http.close());

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
