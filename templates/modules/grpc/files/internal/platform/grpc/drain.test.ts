import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openChannel } from '../../../pkg/client/grpc/index.ts';
import {
  Echo,
  type TestService,
  beginRaw,
  checkHealth,
  echoes,
  frame,
  healthOf,
  testService,
  text,
  until,
} from './testing.ts';

let service: TestService;
afterEach(() => service.stop());

/** Passes connections on to one instance or another, each when it is opened. */
async function balance(portOf: () => number): Promise<{ url: string; close: () => void }> {
  const server = createServer((client) => {
    const instance = connect(portOf(), '127.0.0.1');
    for (const [from, to] of [[client, instance] as const, [instance, client] as const]) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

describe('when the service stops', () => {
  it('no call fails of those that keep coming: clients are told to leave, and find another instance', async () => {
    const slowly: typeof echoes = {
      ...echoes,
      async one(request) {
        await sleep(5);
        return request;
      },
    };
    service = await testService((grpc) => grpc.add(Echo, slowly));
    const another = await testService((grpc) => grpc.add(Echo, slowly));
    const balancer = await balance(() => (service.service.phase === 'ready' ? service.port : another.port));
    const failures: string[] = [];
    let answered = 0;
    const ending = new AbortController();
    const channels = Array.from({ length: 4 }, () => openChannel(balancer.url));
    const clients = channels.flatMap((channel) => {
      const client = channel.client(Echo);
      return Array.from({ length: 10 }, async () => {
        while (!ending.signal.aborted) {
          await client.one({ value: 'hello' }).catch((error: unknown) => failures.push(String(error)));
          answered += 1;
        }
      });
    });
    await until(() => answered > 500);
    expect(await service.service.stop(0, 10_000)).toBe(true);
    const before = answered;
    await until(() => answered > before + 500);
    ending.abort();
    await Promise.all(clients);
    for (const channel of channels) channel.close();
    balancer.close();
    await another.stop();
    expect(failures).toEqual([]);
  });

  it('streams in flight are finished', async () => {
    service = await testService((grpc) => grpc.add(Echo, echoes));
    const session = await service.raw();
    const stream = beginRaw(session, '/test.Echo/Talk');
    stream.write(frame(text('a')));
    await once(stream, 'data');
    const told = once(session, 'goaway');
    const stopped = service.service.stop(0, 10_000);
    await told;
    stream.end(frame(text('b')));
    const [last]: unknown[] = await once(stream, 'data');
    expect(last).toEqual(frame(text('b')));
    const [trailers]: unknown[] = await once(stream, 'trailers');
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
    expect(await stopped).toBe(true);
  });

  it('what does not end by the deadline is cut off', async () => {
    service = await testService((grpc) => grpc.add(Echo, echoes));
    const session = await service.raw();
    const stream = beginRaw(session, '/test.Echo/Talk');
    stream.write(frame(text('a')));
    await once(stream, 'data');
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    session.once('close', resolve);
    await service.service.stop(0, 500);
    await closed;
    await expect.poll(() => service.grpc.connections, { timeout: 60_000 }).toBe(0);
  });

  it('health says so first, and those who watch it do not keep the service', async () => {
    service = await testService((grpc) => grpc.add(Echo, echoes));
    const session = await service.raw();
    await until(async () => (await checkHealth(session)) === 'SERVING');
    const seen: unknown[] = [];
    const watching = beginRaw(session, '/grpc.health.v1.Health/Watch');
    const ended = once(watching, 'end');
    watching.on('data', (bytes: Buffer) => seen.push(healthOf(bytes))).end(frame(text('test.Echo')));
    await until(() => seen.length === 1);
    const stopped = service.service.stop(500, 10_000);
    expect(await checkHealth(session)).toBe('NOT_SERVING');
    await ended;
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
    expect(await stopped).toBe(true);
    expect(service.log.text).not.toContain('call failed');
  });
});
