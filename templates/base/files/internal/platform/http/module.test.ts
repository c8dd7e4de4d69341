import { pino } from 'pino';
import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { testSettings } from './config.ts';
import { Service } from '../app/lifecycle.ts';
import { defineModule } from '../app/module.ts';
import { readConfig } from '../config/config.ts';
import { metrics } from '../metrics/module.ts';
import { tracing } from '../app/tracing.ts';
import { http } from './module.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A service with one route, `/wait`, that answers when `go` is called, and the lines of its log. */
async function startWaiting() {
  const lines: string[] = [];
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: wait, resolve: go } = Promise.withResolvers<void>();
  let url = '';
  const route = defineModule({
    name: 'route',
    config: Type.Object({}),
    requires: [http],
    start({ use }) {
      const server = use(http);
      server.get('/wait', async () => {
        ask();
        await wait;
        return { done: true };
      });
      return {
        value: undefined,
        serve() {
          const [address] = server.addresses();
          url = typeof address === 'object' ? `http://127.0.0.1:${address.port}` : '';
        },
      };
    },
  });
  const service = new Service([metrics, tracing, http, route], {
    log: pino({}, { write: (line) => lines.push(line) }),
    configOf: (module) => readConfig(module.config, testSettings),
    startTimeoutMs: 5000,
  });
  await service.start();
  stops.push(() => service.stop(0, 1000));
  return { service, url, asked, go, lines };
}

describe('the API', () => {
  it('serves what other modules register', async () => {
    const { url, go } = await startWaiting();
    go();
    expect(await (await fetch(`${url}/wait`)).json()).toEqual({ done: true });
  });

  it('logs a request that the end of the drain cuts off', async () => {
    const { service, url, asked, lines } = await startWaiting();
    const reply = fetch(`${url}/wait`);
    await asked;
    expect(await service.stop(0, 1000)).toBe(false);
    await expect(reply).rejects.toThrow('fetch failed');
    expect(lines.filter((line) => line.includes('"route":"/wait"'))).toEqual([
      expect.stringMatching(/"status":500.*"msg":"request broken off"/),
    ]);
  });

  it('asks every client to leave once shutdown begins, and finishes what is in flight', async () => {
    const { service, url, asked, go } = await startWaiting();
    const first = fetch(`${url}/wait`);
    await asked;
    const stopped = service.stop(200, 2000);
    const second = fetch(`${url}/wait`);
    go();
    expect(await (await first).json()).toEqual({ done: true });
    expect((await second).headers.get('connection')).toBe('close');
    expect(await stopped).toBe(true);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('cuts off at the deadline what does not finish', async () => {
    const { service, url, asked } = await startWaiting();
    const cut = fetch(`${url}/wait`).catch((error: unknown) => error);
    await asked;
    expect(await service.stop(0, 200)).toBe(false);
    expect(await cut).toBeInstanceOf(TypeError);
  });

  it('cannot start on a port that is taken', async () => {
    const { url } = await startWaiting();
    const second = new Service([metrics, tracing, http], {
      log: pino({ level: 'silent' }),
      configOf: (module) => readConfig(module.config, { ...testSettings, PORT: new URL(url).port }),
      startTimeoutMs: 5000,
    });
    await expect(second.start()).rejects.toThrow('set PORT to a port that is free');
    expect(await second.stop(0, 1000)).toBe(true);
  });
});
