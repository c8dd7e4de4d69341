import { afterEach, describe, expect, it } from 'vitest';
import { listenLocally, testHttp } from '../../../test/support/http.ts';
import { connectTo, receive } from '../../../test/support/raw.ts';
import { createLogger } from '../log/logger.ts';
import { RequestDurations } from '../metrics/module.ts';
import type { Http } from './server.ts';

let http: Http;
afterEach(() => http.close());

async function testServer(env: Readonly<Record<string, string>> = {}): Promise<Http> {
  const server = await testHttp(env);
  server.get('/things/:id', () => ({}));
  server.put('/things/:id', () => ({}));
  server.post('/things/search', () => ({}));
  await server.register(async (scope) => void scope.delete('/:id', () => ({})), { prefix: '/nested' });
  return server;
}

describe('a method that a path has not', () => {
  it.each([
    ['DELETE', '/things/7', 'GET, HEAD, OPTIONS, PUT'],
    ['POST', '/things/7?x=1', 'GET, HEAD, OPTIONS, PUT'],
    ['DELETE', '/things/search', 'GET, HEAD, OPTIONS, POST, PUT'],
    ['GET', '/nested/7', 'DELETE, OPTIONS'],
    ['PROPFIND', '/things/7', 'GET, HEAD, OPTIONS, PUT'],
  ] as const)('is 405 with Allow: %s %s', async (method, url, allow) => {
    http = await testServer();
    const response = await http.inject({ method, url });
    expect(response.statusCode).toBe(405);
    expect(response.headers['allow']).toBe(allow);
    expect(response.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it('is answered so whatever the body is', async () => {
    http = await testServer();
    const response = await http.inject({
      method: 'POST',
      url: '/nested/7',
      headers: { 'content-type': 'a/b' },
      body: '{',
    });
    expect(response.statusCode).toBe(405);
  });

  it('may be asked for by OPTIONS', async () => {
    http = await testServer();
    const response = await http.inject({ method: 'OPTIONS', url: '/things/7' });
    expect(response.statusCode).toBe(204);
    expect(response.headers['allow']).toBe('GET, HEAD, OPTIONS, PUT');
    expect(response.body).toBe('');
  });
});

describe('a slash at the end of a path, or two in it', () => {
  it.each([
    ['/things/7/', 200],
    ['/things//7', 200],
    ['//things/7?x=1', 200],
    ['/things/', 404],
    ['/nested/', 404],
  ])('makes no difference: %s is %i', async (url, status) => {
    http = await testServer();
    expect((await http.inject(url)).statusCode).toBe(status);
  });
});

describe('a path that does not exist', () => {
  it.each(['GET', 'HEAD', 'POST', 'OPTIONS'] as const)('is 404 for %s, whatever the body is', async (method) => {
    http = await testServer();
    const response = await http.inject({ method, url: '/none', headers: { 'content-type': 'a/b' } });
    expect(response.statusCode).toBe(404);
  });
});

describe('a handler that calls reply.callNotFound()', () => {
  it.each(['GET', 'HEAD', 'PUT'] as const)('is 404 for %s, under the name of its route', async (method) => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) });
    const durations = new RequestDurations();
    http = await testHttp({}, { log, durations });
    http.route({ method: ['GET', 'PUT'], url: '/hidden/:id', handler: (_request, reply) => reply.callNotFound() });
    const { statusCode, headers } = await http.inject({ method, url: '/hidden/7' });
    expect([statusCode, headers['allow']]).toEqual([404, undefined]);
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ route: '/hidden/:id', status: 404 }]);
    expect(durations.text()).toContain(`_count{method="${method}",route="/hidden/:id",status="404"} 1`);
  });
});

describe('an event loop that is blocked', () => {
  it('turns requests away with 503 and Retry-After, until it turns again', async () => {
    http = await testServer({ HTTP_EVENT_LOOP_DELAY_LIMIT_MS: '200' });
    const port = await listenLocally(http);
    const ask = 'GET /things/7 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n';

    const busy = await connectTo(port);
    busy.write(ask);
    block(300);
    const refused = await receive(busy);
    expect(refused).toMatch(/^HTTP\/1.1 503 /);
    expect(refused).toContain('retry-after: 1\r\n');
    expect(refused).toContain('"code":"overloaded"');

    await expect
      .poll(async () => {
        const idle = await connectTo(port);
        idle.write(ask);
        return receive(idle);
      })
      .toMatch(/^HTTP\/1.1 200 /);
  });
});

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
