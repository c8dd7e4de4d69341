import { once } from 'node:events';
import { type Server, connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, type Item, type Operations, createClient } from '../../pkg/client/index.ts';
import { listenLocally, testHttp } from '../../test/support/http.ts';
import { memoryIdempotency } from '../platform/http/idempotency.ts';
import type { Http } from '../platform/http/server.ts';
import { memoryRepository } from './repository.ts';
import { itemRoutes } from './routes.ts';

let http: Http;
let port: number;
let orders: Client<Operations>;

beforeEach(async () => {
  http = await testHttp();
  itemRoutes(http, memoryRepository(), memoryIdempotency({ keys: 100, ttlMs: 60_000 }));
  port = await listenLocally(http);
  orders = createClient({ baseUrl: `http://127.0.0.1:${port}`, retry: { baseMs: 1 } });
});
afterEach(() => http.close());

describe('the client of this service', () => {
  it('creates, finds and lists', async () => {
    const { status, headers, body } = await orders.createItem({ body: { name: 'anchor', quantity: 3 } });
    expect([status, headers.get('location')]).toEqual([201, `/items/${body.id}`]);
    const found: Item = (await orders.getItem({ path: { id: body.id } })).body;
    expect(found).toEqual(body);
    await orders.createItem({ body: { name: 'bolt', quantity: 1 } });
    const { items, next = '' } = (await orders.listItems({ query: { limit: 1 } })).body;
    const rest = await orders.listItems({ query: { limit: 1, cursor: next } });
    expect([...items, ...rest.body.items].map(({ name }) => name).toSorted()).toEqual(['anchor', 'bolt']);
  });

  it('throws what the service says', async () => {
    const missing = orders.getItem({ path: { id: '00000000-0000-4000-8000-000000000000' } });
    await expect(missing).rejects.toMatchObject({ code: 'item_not_found', status: 404 });
    // @ts-expect-error an item has a quantity
    const faulty = orders.createItem({ body: { name: 'anchor' } });
    await expect(faulty).rejects.toMatchObject({
      code: 'validation_failed',
      cause: { problem: { errors: [{ in: 'body', pointer: '/quantity' }] } },
    });
  });
});

describe('behind a connection that loses the first reply', () => {
  let proxy: Server;
  let connections = 0;

  beforeEach(async () => {
    connections = 0;
    proxy = createServer((socket) => {
      connections += 1;
      const isFirst = connections === 1;
      const upstream = connect(port, '127.0.0.1');
      socket.pipe(upstream);
      // The service has done its work; of its reply nobody hears.
      upstream.on('data', (data) => (isFirst ? socket.destroy() : socket.write(data)));
      for (const end of [socket, upstream])
        end.on('error', () => undefined).on('close', () => [socket, upstream].forEach((each) => each.destroy()));
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    const proxyPort = typeof address === 'object' && address !== null ? address.port : 0;
    orders = createClient({ baseUrl: `http://127.0.0.1:${proxyPort}`, retry: { baseMs: 1 } });
  });
  afterEach(() => {
    proxy.close();
  });

  it('an item is created once', async () => {
    const { body } = await orders.createItem({ body: { name: 'anchor', quantity: 3 } });
    expect(connections).toBeGreaterThan(1);
    expect((await orders.listItems()).body.items).toEqual([body]);
  });
});
