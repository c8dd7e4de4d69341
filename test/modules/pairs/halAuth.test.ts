import { Type } from 'typebox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import { defineModule } from '../../../templates/base/files/internal/platform/app/module.ts';
import { http } from '../../../templates/base/files/internal/platform/http/module.ts';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { identity } from '../../../templates/base/files/internal/platform/identity/module.ts';
import { metrics } from '../../../templates/base/files/internal/platform/metrics/module.ts';
import { tracing } from '../../../templates/base/files/internal/platform/app/tracing.ts';
import { auth } from '../../../templates/modules/auth/files/internal/platform/auth/module.ts';
import { sign, type TestKey, testKey } from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';
import { linksOf } from '../../../templates/modules/hal/files/internal/platform/hal/linksOf.ts';
import { speakHal } from '../../../templates/modules/hal/files/internal/platform/hal/speakHal.ts';
import { startWithAuth } from './withAuth.ts';

type Json<Body> = { content: { 'application/json': Body } };
type Api = {
  getPlan: { parameters: {}; responses: { 200: Json<{ state: string }> } };
  dropPlan: { parameters: {}; responses: { 204: { content?: never } } };
  sellPlan: { parameters: {}; responses: { 204: { content?: never } } };
};

const { resource, to } = linksOf<Api>();
const plan = resource('getPlan', {
  self: () => ({}),
  links: { 'api:drop': to('dropPlan'), 'api:sell': to('sellPlan') },
});

/** Started before auth, after it, or beside it: who may do what is asked for with the request. */
const slice = defineModule({
  name: 'slice',
  config: Type.Object({}),
  requires: [http, identity],
  start({ use }) {
    server = use(http);
    speakHal(server, [plan], use(identity));
    server.addSchema(Type.Object({ state: Type.String() }, { $id: 'Plan' }));
    const schema = (operationId: string) => ({ hide: true, operationId });
    server.get('/plan', { schema: { ...schema('getPlan'), response: { 200: { $ref: 'Plan#' } } } }, () => ({
      state: 'open',
    }));
    const config = { scopes: ['plan:write'] };
    server.delete('/plan', { schema: schema('dropPlan'), config: { auth: config } }, () => 'dropped');
    server.post('/plan', { schema: schema('sellPlan'), config: { auth: { roles: ['seller'] } } }, () => 'sold');
    return { value: undefined };
  },
});

let key: TestKey;
let server: Http;
let service: Service;

beforeAll(async () => {
  key = await testKey('key');
  service = await startWithAuth(key, [identity, metrics, tracing, http, slice, auth]);
});
afterAll(async () => {
  await service.stop(0, 5000);
});

it.each([
  [{}, ['self']],
  [{ scope: 'plan:read plan:write' }, ['self', 'api:drop']],
  [{ roles: ['seller'] }, ['self', 'api:sell']],
])('a token with %j is offered the links %j', async (claims, links) => {
  const authorization = `Bearer ${await sign(key, claims)}`;
  const reply = await server.inject({ url: '/plan', headers: { authorization, accept: 'application/hal+json' } });
  const { _links: found }: { _links: object } = reply.json();
  expect(Object.keys(found).toSorted()).toEqual(links.toSorted());
});
