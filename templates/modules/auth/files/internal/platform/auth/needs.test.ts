import type { RouteOptions } from 'fastify';
import { expect, it } from 'vitest';
import { problems } from '../http/problems.ts';
import { type ApiDocument, describedSchema } from '../openapi/describe.ts';
import { describeBearer, describeNeeds } from './needs.ts';

/** What a contract says of a route that asks for this. */
function said(auth: NonNullable<RouteOptions['config']>['auth']) {
  const response = { 200: {}, ...problems };
  const route: RouteOptions = {
    method: 'GET',
    url: '/',
    schema: { response },
    ...(auth !== undefined && { config: { auth } }),
    handler: () => ({}),
  };
  describeNeeds(route);
  return { schema: describedSchema(route, {}), response };
}

it('a contract says of all routes that a token is needed, beside what it says already', () => {
  const document: ApiDocument = { components: { schemas: { Problem: {} } } };
  describeBearer(document);
  expect(document).toMatchObject({
    security: [{ bearer: [] }],
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } }, schemas: { Problem: {} } },
  });
});

it('a contract says of a route what it needs', () => {
  const { schema, response } = said({ scopes: ['items:read', 'items:write'] });
  expect(schema).toEqual({ response, security: [{ bearer: ['items:read', 'items:write'] }] });
  expect(said('public').schema).toEqual({ response, security: [] });
  expect(said(undefined).schema).toEqual({ response });
});
