import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Registry } from '@prometheus-io/client';
import { Type } from 'typebox';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceError, unavailable } from '../../../pkg/errors/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import { about } from '../app/about.ts';
import { createLogger } from '../log/logger.ts';
import { ErrorCounts, RequestDurations } from '../metrics/module.ts';
import { listen } from './connections.ts';
import { problems, ref } from './problems.ts';
import type { Http } from './server.ts';

let http: Http;
afterEach(() => http.close());

describe('an error', () => {
  it.each([
    ['a route that does not exist', { url: '/nothing' }, 404, { code: 'route_not_found' }],
    ['a method that the route has not', { method: 'DELETE', url: '/numbers' }, 405, { code: 'method_not_allowed' }],
    ['a parameter that is too long', { url: `/named/${'x'.repeat(101)}` }, 414, { code: 'max_param_length' }],
    ['a URL that cannot be decoded', { url: '/%zz' }, 400, { code: 'bad_url' }],
    ['JSON that is broken', post('{"n":'), 400, { code: 'invalid_json_body' }],
    ['no body at all', post(''), 400, { code: 'validation_failed' }],
    ['a body of another type', post('n=1', 'text/csv'), 415, { code: 'invalid_media_type' }],
    ['a body that is too large', post(JSON.stringify({ n: 1, s: 'x'.repeat(100) })), 413, { code: 'body_too_large' }],
    [
      'a value of the wrong type',
      post('{"n":"1"}'),
      400,
      { errors: [{ in: 'body', pointer: '/n', detail: 'must be integer' }] },
    ],
    ['a field that is missing', post('{}'), 400, { errors: [{ in: 'body', pointer: '/n' }] }],
    ['a field that is unknown', post('{"n":1,"a/b~":2}'), 400, { errors: [{ in: 'body', pointer: '/a~1b~0' }] }],
    ['an error of the service', { url: '/taken' }, 409, { code: 'name_taken', detail: 'The name is taken.' }],
  ] as const)('for %s is a problem (RFC 9457)', async (_what, request, status, more) => {
    http = await testServer();
    const response = await http.inject(request);
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ type: 'about:blank', title: expect.any(String), status, ...more });
    expect(response.json()).toHaveProperty('requestId', response.headers['x-request-id']);
  });

  it.each(['/bug', '/broken-reply'])('of our own (%s) tells the caller nothing of the inside', async (url) => {
    http = await testServer();
    const response = await http.inject({ url });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      requestId: response.headers['x-request-id'],
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
    });
  });

  it.each([
    ['no HTTP', 'GARBAGE\r\n\r\n', 400],
    ['a head that is too large', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a request that is never finished', 'GET / HTTP/1.1\r\n', 408],
  ])('for %s is a problem too', async (_what, sent, status) => {
    http = await testServer({ HTTP_REQUEST_TIMEOUT_MS: '50' });
    const socket = connect(await listen(http.server, '127.0.0.1', 0), '127.0.0.1');
    socket.write(sent);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, title: expect.any(String) });
  });
});

describe('a request that cannot be routed', () => {
  it.each([
    ['/%zz', 400],
    [`/named/${'x'.repeat(101)}`, 414],
    ['/named/%E0%A4%A', 400],
  ])('has the headers, the line and the observation of any other: %s', async (url, status) => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) });
    const durations = new RequestDurations();
    http = await testServer({}, { log, durations });
    // A long parameter is one only where the method has a route.
    for (const method of status === 414 ? (['GET', 'HEAD'] as const) : (['GET', 'HEAD', 'POST', 'PROPFIND'] as const)) {
      const { statusCode, headers } = await http.inject({ method, url, headers: { 'x-request-id': method } });
      expect(statusCode).toBe(status);
      expect(headers).toMatchObject({
        'x-request-id': method,
        'x-content-type-options': 'nosniff',
        'content-type': expect.stringMatching(/^application\/problem\+json/),
      });
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
        msg: 'request',
        requestId: method,
        method,
        path: url,
        status,
      });
      expect(lines).toHaveLength(1);
      lines.length = 0;
    }
    expect(durations.text()).toMatch(new RegExp(`_count\\{method="HEAD",route="[^"]*",status="${status}"\\} 1`));
  });

  it('because it is not HTTP has its line and its observation, too', async () => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) });
    const durations = new RequestDurations();
    http = await testServer({}, { log, durations });
    const socket = connect(await listen(http.server, '127.0.0.1', 0), '127.0.0.1');
    socket.write('GARBAGE\r\n\r\n');
    expect(await text(socket)).toContain('x-content-type-options: nosniff');
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { msg: 'request', route: 'unmatched', status: 400 },
    ]);
    expect(durations.text()).toContain('_count{method="_OTHER",route="unmatched",status="400"} 1');
  });
});

describe('the address of a client behind proxies', () => {
  it.each([
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['203.0.113.9:4711, 10.0.0.7:80', '203.0.113.9'],
    ['198.51.100.1:1 ,203.0.113.9:, [fd00::7]:1', '203.0.113.9'],
    ['unknown', 'unknown'],
  ])('has no port: %s', async (forwarded, address) => {
    http = await testServer({ HTTP_TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1,fd00::/8' });
    http.get('/address', ({ ip }) => ({ ip }));
    const headers = { 'x-forwarded-for': forwarded };
    expect((await http.inject({ url: '/address', headers })).json()).toEqual({ ip: address });
  });
});

describe('what throws when it is read', () => {
  const bad = (name: string): Error =>
    Object.defineProperty(new Error('hunter2'), name, {
      enumerable: true,
      get() {
        throw new Error('hunter2: read');
      },
    });
  it.each<[string, () => unknown]>([
    ...['code', 'statusCode', 'message', 'name', 'stack', 'cause', 'toString', 'validation', 'other'].map(
      (name): [string, () => unknown] => [`an error by its ${name}`, () => bad(name)],
    ),
    ['a code and a status', () => Object.assign(bad('validation'), { code: 'a', statusCode: 400 })],
    ['an error that is frozen', () => Object.freeze(new Error('hunter2'))],
    ['a cause', () => new Error('hunter2', { cause: bad('cause') })],
    ['an object without a prototype', (): unknown => Object.create(null)],
    ['a proxy', () => new Proxy(new Error('hunter2'), { get: () => fail(), has: () => fail(), ownKeys: () => fail() })],
    ['nothing', () => undefined],
    ['null', () => null],
    ['a text', () => 'hunter2'],
  ])('(%s) is a problem that tells nothing, and one line in the log', async (_what, make) => {
    const lines: string[] = [];
    http = await testServer({}, { log: await createLogger('error', { write: (line) => void lines.push(line) }) });
    http.get('/odd', async () => {
      throw make();
    });
    http.get('/odd-at-once', () => {
      throw make();
    });
    for (const url of ['/odd', '/odd-at-once']) {
      lines.length = 0;
      const { statusCode, headers, body } = await http.inject(url);
      expect([url, statusCode]).toEqual([url, 500]);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(body).not.toContain('hunter2');
      expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([{ level: 'error', msg: 'request failed' }]);
    }
  });
});

describe('a request', () => {
  it('keeps the id of its caller, when that is well-formed', async () => {
    http = await testServer();
    const kept = await http.inject({ url: '/nothing', headers: { 'x-request-id': 'abc-1' } });
    expect(kept.headers['x-request-id']).toBe('abc-1');
    const replaced = await http.inject({ url: '/nothing', headers: { 'x-request-id': 'a b"' } });
    expect(replaced.headers['x-request-id']).toMatch(/^[\w-]+$/);
  });

  it('is one line in the log, without its query, and one observation', async () => {
    const lines: string[] = [];
    const log = await createLogger('info', { write: (line) => void lines.push(line) });
    const durations = new RequestDurations();
    http = await testServer({}, { log, durations });
    await http.inject({ url: '/taken?token=hunter2', headers: { 'x-request-id': 'abc-1' } });
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ msg: 'request', requestId: 'abc-1', route: '/taken', path: '/taken', status: 409 }),
    ]);
    expect(lines.join('')).not.toContain('hunter2');
    expect(durations.text()).toContain('_count{method="GET",route="/taken",status="409"} 1');
  });

  it('that fails by our fault leaves the error and its stack in the log', async () => {
    const lines: string[] = [];
    http = await testServer({}, { log: await createLogger('error', { write: (line) => void lines.push(line) }) });
    await http.inject({ url: '/bug' });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines.join(''))).toMatchObject({ level: 'error', err: { message: 'connection string: secret' } });
  });
});

describe('an error that was thrown', () => {
  it('is logged once, with its tags and its whole chain, and counted by its code', async () => {
    const lines: string[] = [];
    const registry = new Registry();
    http = await testServer(
      {},
      {
        log: await createLogger('error', { write: (line) => void lines.push(line) }),
        errors: new ErrorCounts(registry),
      },
    );
    const response = await http.inject({ url: '/busy' });
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('3');
    expect(response.json()).toMatchObject({ code: 'busy', detail: 'Try again.' });
    expect(response.body).not.toMatch(/pool|shard|stack|server\.test/);
    expect(lines).toHaveLength(1);
    const line: unknown = JSON.parse(lines.join(''));
    expect(line).toMatchObject({ level: 'error', msg: 'request failed', shard: 7 });
    expect(line).toHaveProperty('err.stack', expect.stringMatching(/reading.*caused by.*Try again.*caused by.*pool/s));
    await http.inject({ url: '/bug' });
    await http.inject({ url: '/nothing' });
    const counted = await registry.metrics();
    expect(counted).toMatch(/^errors_total\{code="busy"\} 1$/m);
    expect(counted).toMatch(/^errors_total\{code="unknown"\} 1$/m);
    expect(counted).toMatch(/^errors_total\{code="route_not_found"\} 1$/m);
  });
});

describe('a schema with a keyword that is not valid', () => {
  it.each([
    { type: 'integer', minimum: '1' },
    { type: 'integer', minimun: 1 },
    { type: 'string', pattern: '(' },
    { type: 'int' },
  ])('stops the start: %j', async (schema) => {
    http = await testHttp();
    http.post('/', { schema: { body: Type.Unsafe(schema) } }, () => 'never');
    await expect(http.ready()).rejects.toThrow('Failed building the validation schema');
  });
});

describe('the version', () => {
  it('says which build answers', async () => {
    http = await testServer();
    expect((await http.inject('/version')).json()).toEqual(about);
  });
});

function fail(): never {
  throw new Error('hunter2: read');
}

function post(body: string, type = 'application/json') {
  return { method: 'POST', url: '/numbers', headers: { 'content-type': type }, body } as const;
}

async function testServer(...[env, options]: Parameters<typeof testHttp>): Promise<Http> {
  const server = await testHttp({ HTTP_BODY_LIMIT_BYTES: '64', ...env }, options);
  const Numbers = Type.Object({ n: Type.Integer() }, { $id: 'Numbers', additionalProperties: false });
  server.addSchema(Numbers);
  server.post(
    '/numbers',
    { schema: { body: ref(Numbers), response: { 200: ref(Numbers), ...problems } } },
    ({ body }) => body,
  );
  server.get('/named/:name', () => ({}));
  server.get('/taken', () => {
    throw new ServiceError({ code: 'name_taken', status: 409, publicMessage: 'The name is taken.' });
  });
  server.get('/busy', () => {
    const cause = new Error('the pool is empty');
    const busy = unavailable('Try again.', { code: 'busy', retryAfterMs: 2500, tags: { shard: 7 }, cause });
    throw new Error('reading the item', { cause: busy });
  });
  server.get('/bug', async () => Promise.reject(new Error('connection string: secret')));
  server.get('/broken-reply', { schema: { response: { 200: ref(Numbers), ...problems } } }, (_request, reply) => {
    reply.send({ n: Number.NaN });
  });
  return server;
}
