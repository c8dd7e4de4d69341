import { Type } from 'typebox';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { current } from '../../../pkg/context/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import { randomFrom } from '../../../test/support/random.ts';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import { type Principal, principalKey } from '../http/requestContext.ts';
import { Identity, type Permits } from '../identity/module.ts';
import { linksOf } from './linksOf.ts';
import { hal } from './schema.ts';
import { prefersHal, speakHal } from './speakHal.ts';

interface Order {
  id: string;
  state: 'open' | 'paid';
}

type Json<Body> = { content: { 'application/json': Body } };
type Shop = {
  getOrder: { parameters: { path: { shop: string; id: string } }; responses: { 200: Json<Order> } };
  findOrder: { parameters: { query?: { id?: string } }; responses: { 200: Json<Order> } };
  payOrder: { parameters: { path: { shop: string; id: string } }; responses: { 204: { content?: never } } };
  listOrders: {
    parameters: { path: { shop: string }; query?: { cursor?: string; state?: string; tag?: string[] } };
    responses: { 200: Json<{ orders: Order[]; total: number; next?: string; prev?: string }> };
  };
  listShops: { parameters: {}; responses: { 200: Json<{ shops: Order[] }> } };
};

const { collection, resource, template, to } = linksOf<Shop>();
const shop = 'a b';
const order = resource('getOrder', {
  self: ({ id }) => ({ path: { shop, id } }),
  alsoIn: ['findOrder'],
  links: {
    'api:pay': to('payOrder', ({ id, state }) => state === 'open' && { path: { shop, id } }),
    up: to('listShops'),
  },
});
const orders = collection('listOrders', {
  of: order,
  member: 'orders',
  links: { search: template('listOrders', ['state']) },
});
const links = [order, orders];

const OrderView = Type.Object({ id: Type.String(), state: Type.String() }, { $id: 'Order' });
const OrderList = Type.Object(
  {
    orders: Type.Array(ref(OrderView)),
    total: Type.Integer(),
    next: Type.Optional(Type.String()),
    prev: Type.Optional(Type.String()),
  },
  { $id: 'OrderList' },
);
const ofShop = Type.Object({ shop: Type.String() });
const ofOrder = Type.Object({ shop: Type.String(), id: Type.String() });
const known: Order[] = [
  { id: '1', state: 'open' },
  { id: '2', state: 'paid' },
];

/** Hidden: what a test makes up is in no contract. */
const shown = (operationId: string) => ({ hide: true, operationId });

function orderRoutes(http: Http): void {
  http.addSchema(OrderView);
  http.addSchema(OrderList);
  http.get(
    '/shops/:shop/orders/:id',
    { schema: { ...shown('getOrder'), params: ofOrder, response: { 200: ref(OrderView) } } },
    ({ params: { id } }) => ({ id, state: 'open' }),
  );
  http.get('/orders', { schema: { ...shown('findOrder'), response: { 200: ref(OrderView) } } }, (request, reply) => {
    if (request.headers['x-format'] === 'own') reply.type('application/vnd.shop+json');
    return known[1];
  });
  http.post(
    '/shops/:shop/orders/:id/pay',
    { schema: { ...shown('payOrder'), summary: 'Pay an order', params: ofOrder } },
    (_, reply) => void reply.code(204).send(),
  );
  http.get(
    '/shops/:shop/orders',
    {
      schema: {
        ...shown('listOrders'),
        params: ofShop,
        querystring: Type.Object({
          cursor: Type.Optional(Type.String()),
          state: Type.Optional(Type.String({ default: 'any' })),
          tag: Type.Optional(Type.Array(Type.String())),
        }),
        response: { 200: ref(OrderList) },
      },
    },
    ({ query: { cursor } }) => ({ orders: known, total: 9, next: 'c&d', ...(cursor && { prev: 'a' }) }),
  );
  http.get('/shops', { schema: shown('listShops') }, () => ({ shops: [] }));
  // Where no link leads, a path may be of any length.
  http.get('/files/*', { schema: shown('getFile') }, () => 'a file');
}

let http: Http;

/** @param permits what the caller may do; the default is everything */
async function serve(permits?: Permits): Promise<void> {
  http = await testHttp();
  const identity = new Identity();
  if (permits) identity.provide(() => Promise.reject(new Error('not asked')), permits);
  speakHal(http, links, identity);
  orderRoutes(http);
}

function get(url: string, headers: Readonly<Record<string, string>> = {}) {
  return http.inject({ url, headers: { accept: hal, ...headers } });
}

async function linksOfReply(url: string): Promise<Record<string, { href: string }>> {
  const { _links: found }: { _links: Record<string, { href: string }> } = (await get(url)).json();
  return found;
}

/** @returns the relations of each order in the list */
async function linksOfMembers(): Promise<string[][]> {
  const { _embedded: embedded }: { _embedded: { item: { _links: object }[] } } = (await get('/shops/a/orders')).json();
  return embedded.item.map(({ _links: found }) => Object.keys(found));
}

beforeAll(() => serve());

describe('a resource', () => {
  it('has its links, relative to where it was found', async () => {
    const reply = await get('/shops/a%20b/orders/1');
    expect(reply.headers).toMatchObject({ 'content-type': hal, vary: 'Accept' });
    expect(reply.json()).toEqual({
      id: '1',
      state: 'open',
      _links: {
        self: { href: '../../../shops/a%20b/orders/1' },
        'api:pay': { href: '../../../shops/a%20b/orders/1/pay' },
        up: { href: '../../../shops' },
      },
    });
  });

  it('has an action only in the state that permits it', async () => {
    expect(Object.keys(await linksOfReply('/orders'))).toEqual(['self', 'up']);
  });

  it('is found again behind a proxy that puts something before its path', async () => {
    const { self } = await linksOfReply('/orders');
    expect(new URL(self?.href ?? '', 'https://example.com/v1/store/orders').pathname).toBe(
      '/v1/store/shops/a%20b/orders/2',
    );
  });

  it('has the same links when headers say that it is elsewhere', async () => {
    const lies = {
      host: 'evil.example',
      forwarded: 'host=evil.example;proto=http',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-prefix': '//evil.example',
      'x-forwarded-proto': 'javascript',
      'x-original-url': '/evil',
    };
    expect((await get('/orders', lies)).body).toBe((await get('/orders')).body);
  });

  it('has no link that its caller may not follow, but itself', async () => {
    const permits = vi.fn<Permits>((principal, { url }) => principal?.scopes.has(url ?? '') ?? false);
    await serve(permits);
    onTestFinished(() => serve());
    const who: Principal = { subject: 'ada', scopes: new Set(['/shops']), roles: new Set(), claims: {}, expiresAt: 0 };
    http.addHook('onRequest', (_request, _reply, done) => {
      current().set(principalKey, who);
      done();
    });
    expect(await linksOfMembers()).toEqual([
      ['self', 'up'],
      ['self', 'up'],
    ]);
  });
});

describe('a collection', () => {
  it('embeds its resources, and leads from page to page by what was asked for', async () => {
    const asked = 'state=p%26d&tag=a?&tag=%0d%0aset-cookie:x&cursor=b';
    const body = (await get(`/shops/a%20b/orders?${asked}&utm=1&__proto__=2`)).json();
    const same = '../../shops/a%20b/orders?state=p%26d&tag=a%3F&tag=%0D%0Aset-cookie%3Ax';
    expect(body).toEqual({
      total: 9,
      _links: {
        self: { href: `${same}&cursor=b` },
        first: { href: same },
        prev: { href: `${same}&cursor=a` },
        next: { href: `${same}&cursor=c%26d` },
        search: { href: '../../shops/{shop}/orders{?state}', templated: true },
      },
      _embedded: { item: [expect.objectContaining({ id: '1' }), expect.objectContaining({ id: '2' })] },
    });
  });

  it('does not write down what the schema fills in', async () => {
    const { self, first } = await linksOfReply('/shops/a/orders');
    expect([self, first]).toEqual([{ href: '../../shops/a/orders' }, { href: '../../shops/a/orders' }]);
  });
});

describe('a value that no path leads to', () => {
  beforeEach(() => {
    known[1] = { id: '..', state: 'open' };
    return () => {
      known[1] = { id: '2', state: 'paid' };
    };
  });

  it('leaves out the links that need it, and nothing else', async () => {
    expect(await linksOfMembers()).toEqual([['self', 'api:pay', 'up'], ['up']]);
  });

  it.each([
    ['a/../b', 'a%2F..%2Fb'],
    ['é\uD800', '%C3%A9%EF%BF%BD'],
    ['"\r\n<x>', '%22%0D%0A%3Cx%3E'],
  ])('is not %j', async (id, encoded) => {
    known[1] = { id, state: 'paid' };
    expect((await linksOfReply('/orders'))['self']?.href).toBe(`./shops/a%20b/orders/${encoded}`);
  });
});

describe('the media type', () => {
  it('is chosen by Accept, and caches are told so', async () => {
    const types = await Promise.all(
      [hal, '*/*', `${hal};q=0`].map(async (accept) => {
        const { headers } = await get('/orders', { accept });
        return [headers['content-type'], headers.vary];
      }),
    );
    const json = ['application/json; charset=utf-8', 'Accept'];
    expect(types).toEqual([[hal, 'Accept'], json, json]);
  });

  it('is plain JSON, byte for byte what it was, for who does not ask', async () => {
    const { body } = await get('/shops/a/orders', { accept: '*/*' });
    expect(body).toBe(JSON.stringify({ orders: known, total: 9, next: 'c&d' }));
  });

  it('is problem+json for an error', async () => {
    const { statusCode, headers } = await get('/shops/a/orders?cursor=1&cursor=2');
    expect([statusCode, headers['content-type']]).toEqual([400, 'application/problem+json; charset=utf-8']);
  });

  it('is that of GET for HEAD, and counts in If-None-Match', async () => {
    const { headers } = await http.inject({ method: 'HEAD', url: '/orders', headers: { accept: hal } });
    const full = await get('/orders');
    expect(headers).toMatchObject({ 'content-type': hal, etag: full.headers.etag });
    const again = (accept: string) => get('/orders', { accept, 'if-none-match': String(full.headers.etag) });
    expect([(await again(hal)).statusCode, (await again('*/*')).statusCode]).toEqual([304, 200]);
  });

  it('is left alone where a route has chosen one', async () => {
    const { headers } = await get('/orders', { 'x-format': 'own' });
    expect(headers['content-type']).toBe('application/vnd.shop+json; charset=utf-8');
  });

  it('is left alone where nothing is declared', async () => {
    const { headers } = await get('/shops');
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(headers).not.toHaveProperty('vary');
  });
});

describe('what does not fit is told before the service serves', () => {
  it.each<[string, (server: Http) => void, string]>([
    [
      'a link to an operation that is not there',
      (server) =>
        server.get('/orders', { schema: { ...shown('findOrder'), response: { 200: ref(OrderView) } } }, () => known[0]),
      'getOrder',
    ],
    [
      'a resource without a schema',
      (server) => server.get('/a', { schema: shown('getOrder') }, () => 1),
      'no reply whose schema',
    ],
    [
      'a list of what has no name',
      (server) => {
        server.addSchema(Type.Object({ orders: Type.Array(Type.String()) }, { $id: 'Odd' }));
        server.get('/a', { schema: { ...shown('listOrders'), response: { 200: { $ref: 'Odd#' } } } }, () => 1);
      },
      '"orders" is no list',
    ],
    [
      'a path that has no end',
      (server) => {
        server.get('/a', { schema: { ...shown('getOrder'), response: { 200: ref(OrderView) } } }, () => known[0]);
        server.get('/a/*', { schema: shown('payOrder') }, () => 1);
      },
      'cannot lead to /a/*',
    ],
  ])('%s', async (_, register, told) => {
    const server = await testHttp();
    server.addSchema(OrderView);
    speakHal(server, links, new Identity());
    const start = async (): Promise<void> => {
      register(server);
      await server.ready();
    };
    await expect(start()).rejects.toThrow(told);
  });
});

describe('Accept', () => {
  it.each([
    [hal],
    ['Application/HAL+JSON'],
    [`${hal}, application/json;q=0.9, */*;q=0.1`],
    [`${hal}, */*`],
    [`text/html, ${hal};q=0.1`],
  ])('"%s" asks for HAL', (accept) => {
    expect(prefersHal(accept)).toBe(true);
  });

  it.each([
    [undefined],
    [''],
    ['*/*'],
    ['application/*'],
    ['text/html'],
    [`application/json, ${hal}`],
    [`application/json, ${hal};q=0.9`],
    [`application/json;q=0.1, ${hal};q=0`],
    [`${hal};q=high`],
    [`,;=${hal};;q==,"`],
    [hal.repeat(500)],
    // Too long to negotiate.
    [`${hal}${', a/b;q=0.1'.repeat(100)}`],
  ])('"%.60s" does not', (accept) => {
    expect(prefersHal(accept)).toBe(false);
  });

  it('no header is too odd for an answer', () => {
    const random = randomFrom(7);
    const parts = [
      hal,
      'application/json',
      '*/*',
      ';q=',
      '0.5',
      ',',
      ';',
      '"',
      '\\',
      '=',
      ' ',
      '\t',
      '__proto__',
      '(',
      '1e9',
    ];
    for (let round = 0; round < 1000; round += 1) {
      const accept = Array.from({ length: random.upTo(20) }, () => random.pick(parts)).join('');
      expect(prefersHal(accept)).toBeTypeOf('boolean');
    }
  });
});
