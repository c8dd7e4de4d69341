import { Type } from 'typebox';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { Client } from '../../../pkg/client/websocket/index.ts';
import { changeFeed } from '../../../pkg/resource/index.ts';
import { defineModule } from '../app/module.ts';
import { identity } from '../identity/module.ts';
import { defineMessage } from '../websocket/messages.ts';
import { type RawClient, type TestService, guarded, rawClient, testService } from '../websocket/testing.ts';
import { changeOf, pushChanges } from './websocket.ts';

const Order = Type.Object({ id: Type.String(), version: Type.Integer(), sku: Type.String() }, { $id: 'Order' });
const order = { id: '7', version: 1, sku: 'a', secret: 's', createdAt: '', updatedAt: '' };
const orderChanged = defineMessage({
  type: 'orders.changed',
  version: '1.0',
  payload: changeOf(Order, { confirm: {} }),
});

/** Replaces the module auth, which identifies callers. */
const auth = defineModule({
  name: 'auth',
  config: Type.Object({}),
  requires: [identity],
  start({ use }) {
    use(identity).provide(
      () => Promise.reject(new Error('not used')),
      () => true,
    );
    return { value: undefined };
  },
});

let service: TestService;
afterEach(() => service.service.stop(0, 1000));

/** Starts a service that pushes the changes of orders. */
async function started(isGuarded = false) {
  const { changed, onChange } = changeFeed<typeof order>();
  service = await testService(
    {},
    (sockets, api) => {
      if (isGuarded) guarded(api);
      onChange({ error: (fields) => expect.unreachable(JSON.stringify(fields)) }, push(sockets));
    },
    isGuarded ? [auth] : [],
  );
  return changed;
}

function push(sockets: TestService['sockets']) {
  return pushChanges(sockets, 'orders', orderChanged);
}

async function subscribed(topic: string, subject?: string): Promise<{ client: RawClient; answer: unknown }> {
  const headers = subject === undefined ? {} : { authorization: `Bearer ${subject}` };
  const client = await rawClient(`${service.ws}/ws`, { headers });
  const { payload: answer } = await client.ask({ type: 'topic.subscribe', payload: { topics: [topic] } });
  return { client, answer };
}

describe('changes of a resource', () => {
  it('reach the subscribers of all entities and those of one, in order, without fields that callers do not see', async () => {
    const changed = await started();
    const all = await subscribed('orders');
    const one = await subscribed('orders/7');
    changed('created', { ...order, id: '8' });
    changed('created', order);
    changed('confirm', { ...order, version: 2 }, order);
    changed('deleted', { ...order, version: 2 });
    const seen = async ({ received, next }: RawClient) => {
      await next(({ payload }) => Object.values(payload ?? {}).includes('deleted'));
      return received.flatMap(({ type, topic, payload }) => (type === orderChanged.type ? [{ topic, payload }] : []));
    };
    const entity = { id: '7', version: 1, sku: 'a' };
    const own = [
      { change: 'created', entity },
      { change: 'confirm', entity: { ...entity, version: 2 } },
      { change: 'deleted', entity: { ...entity, version: 2 } },
    ];
    const payloads = [{ change: 'created', entity: { ...entity, id: '8' } }, ...own];
    expect(await seen(all.client)).toEqual(payloads.map((payload) => ({ topic: 'orders', payload })));
    expect(await seen(one.client)).toEqual(own.map((payload) => ({ topic: 'orders/7', payload })));
  });

  it('reach a client that was away, once', async () => {
    const changed = await started();
    const heard: unknown[] = [];
    const client = new Client({ url: `${service.ws}/ws`, backoff: { baseMs: 1, maxMs: 1 } });
    onTestFinished(() => client.close());
    client.subscribe('orders', ({ payload }) => void heard.push(payload));
    client.connect();
    await expect.poll(() => client.state).toBe('open');
    changed('created', order);
    await expect.poll(() => heard.length).toBe(1);
    client.close();
    changed('confirm', { ...order, version: 2 }, order);
    client.connect();
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toMatchObject([{ change: 'created' }, { change: 'confirm', entity: { version: 2 } }]);
  });

  it('need the scope to read the resource, when callers are authenticated', async () => {
    await started(true);
    const refused = { code: 'insufficient_scope', details: { scopes: ['orders:read'] } };
    for (const topic of ['orders', 'orders/7'])
      expect((await subscribed(topic, 'ada')).answer).toMatchObject({ refused: { [topic]: refused } });
    expect((await subscribed('orders')).answer).toMatchObject({ refused: { orders: { code: 'unauthenticated' } } });
    expect((await subscribed('orders/7', 'reader')).answer).toMatchObject({ refused: {} });
  });
});
