import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Http } from '../http/server.ts';
import { TestFiles, type TestService, answerOf, ask, testCertificate, testService } from './testing.ts';

const files = new TestFiles();
beforeAll(async () => files.write(await testCertificate()));
afterAll(() => files[Symbol.dispose]());

let service: TestService;
/** Slow requests that a handler was given. */
let begun: number;
beforeEach(() => (begun = 0));
afterEach(() => service.stop());

function routes(http: Http): void {
  http.get('/soon', async () => {
    await sleep(5);
    return { done: true };
  });
  http.get('/slow', async () => {
    begun += 1;
    await sleep(100);
    return { done: true };
  });
  http.get('/never', () => {
    begun += 1;
    return new Promise(() => undefined);
  });
}

describe('when the service stops', () => {
  it('no request fails of those that keep coming: clients are told to leave, and find another instance', async () => {
    service = await testService(files, routes);
    const another = await testService(files, routes);
    const ending = new AbortController();
    const statuses = new Map<unknown, number>();
    let left = 0;
    // As browsers and agents do: a connection on which GOAWAY came takes no new requests.
    const client = async (): Promise<void> => {
      let session = await service.open();
      const leave = async (): Promise<void> => {
        left += 1;
        const next = await another.open();
        next.on('goaway', () => undefined);
        session = next;
      };
      session.once('goaway', () => void leave());
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          while (!ending.signal.aborted) {
            const used = session;
            if (used.closed) {
              await sleep(1);
              continue;
            }
            const { status, reset } = await ask(used, { ':path': '/soon' });
            // RFC 9113, 8.7: nothing has been done for it, and clients ask again.
            if (reset === constants.NGHTTP2_REFUSED_STREAM) continue;
            const result = status === 0 ? `reset ${reset}` : status;
            statuses.set(result, (statuses.get(result) ?? 0) + 1);
          }
        }),
      );
    };
    const clients = Array.from({ length: 3 }, client);
    await expect.poll(() => statuses.get(200) ?? 0).toBeGreaterThan(100);
    expect(await service.service.stop(0, 10_000)).toBe(true);
    const before = statuses.get(200) ?? 0;
    await expect.poll(() => statuses.get(200) ?? 0).toBeGreaterThan(before + 100);
    ending.abort();
    await Promise.all(clients);
    await another.stop();
    expect(left).toBe(3);
    expect([...statuses.keys()]).toEqual([200]);
  });

  it('a request in flight is finished', async () => {
    service = await testService(files, routes);
    const answer = ask(await service.open(), { ':path': '/slow' });
    await expect.poll(() => begun).toBe(1);
    const stopped = service.service.stop(0, 10_000);
    expect(await answer).toMatchObject({ status: 200, body: '{"done":true}' });
    expect(await stopped).toBe(true);
  });

  it('what does not end by the deadline is cut off, and that is our fault', async () => {
    service = await testService(files, routes);
    const stream = (await service.open()).request({ ':path': '/never' });
    const answer = answerOf(stream);
    await expect.poll(() => begun).toBe(1);
    await service.service.stop(0, 200);
    expect((await answer).reset).not.toBe(0);
    expect(service.log.text).toContain('request broken off');
  });

  it('does not wait for a client that has connected and says nothing', async () => {
    service = await testService(files);
    const mute = connect(service.port, '127.0.0.1');
    mute.on('error', () => undefined).resume();
    await once(mute, 'connect');
    // Its connection has been accepted when a later one has been served.
    (await service.tls()).destroy();
    const closed = once(mute, 'close');
    expect(await service.service.stop(0, 10_000)).toBe(true);
    await closed;
  });
});
