import { Type } from 'typebox';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { Collection } from './linksOf.ts';
import { HalSchemas, LinkView } from './schema.ts';

const Order = Type.Object({ id: Type.String() }, { $id: 'Order' });
const orders: Collection = {
  kind: 'collection',
  operations: ['listOrders'],
  member: 'orders',
  of: { kind: 'resource', operations: ['getOrder'], links: {} },
  links: {},
};

let http: Http;
beforeEach(async () => {
  http = await testHttp();
  http.addSchema(LinkView);
  http.addSchema(Order);
});
afterEach(() => http.close());

it.each([
  [[], ['self', 'first']],
  [['next'], ['self', 'first', 'next']],
  [['prev'], ['self', 'first', 'prev']],
  [
    ['next', 'prev'],
    ['self', 'first', 'prev', 'next'],
  ],
])('of a list whose body has %j the schema has the links %j', (members, expected) => {
  const cursors = Object.fromEntries(members.map((name) => [name, Type.Optional(Type.String())]));
  http.addSchema(Type.Object({ orders: Type.Array(ref(Order)), ...cursors }, { $id: 'OrderList' }));
  new HalSchemas(http).of('OrderList', orders);
  const links = Object.fromEntries(expected.map((relation) => [relation, ref(LinkView)]));
  expect(http.getSchema('OrderListResource')).toMatchObject({
    required: ['_embedded', '_links'],
    properties: { _links: { required: ['self'] } },
  });
  expect(http.getSchema('OrderListResource')).toHaveProperty('properties._links.properties', links);
});

it('two resources that look alike have the links of each, whichever comes first', () => {
  const schemas = new HalSchemas(http);
  const link = { to: 'listOrders', address: () => ({}) };
  const names = [
    schemas.of('Order', { kind: 'resource', operations: ['getOrder'], links: { up: link } }),
    schemas.of('Order', { kind: 'resource', operations: ['getDraft', 'editDraft'], links: { related: link } }),
    schemas.of('Order', { kind: 'resource', operations: [], links: { related: link } }),
    schemas.of('Order', { kind: 'resource', operations: [], links: { up: link } }),
  ].map(({ $ref }) => $ref.replace('#', ''));
  expect(names).toEqual(['OrderResource', 'OrderOfGetDraftResource', 'OrderOfResource', 'OrderOfResource2']);
  expect(names.map((name) => http.getSchema(name))).toMatchObject([
    { properties: { _links: { properties: { up: {} } } } },
    { properties: { _links: { properties: { related: {} } } } },
    { properties: { _links: { properties: { related: {} } } } },
    { properties: { _links: { properties: { up: {} } } } },
  ]);
  expect(http.getSchema('OrderOfGetDraftResource')).not.toHaveProperty('properties._links.properties.up');
});
