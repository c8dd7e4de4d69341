import { once } from 'node:events';
import { type IncomingMessage, type RequestListener, createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Context, contextFetch, parseTrace, runWith } from '../context/index.ts';
import { ServiceError } from '../errors/index.ts';
import { type Client, type ClientOptions, ProblemReply, clientOf } from './client.ts';

interface Thing {
  readonly id: string;
}

type Of<Types> = { headers: {}; content: Types };
interface Paths {
  '/things/{id}': {
    get: {
      parameters: { path: { id: string }; query?: { tag?: string[]; page?: number | undefined }; header?: never };
      requestBody?: never;
      responses: { 200: Of<{ 'application/json': Thing; 'application/hal+json': Thing & { _links: object } }> };
    };
  };
  '/things': {
    post: {
      parameters: { header?: { 'idempotency-key'?: string }; query?: never; path?: never };
      requestBody: { content: { 'application/json': Thing } };
      responses: { 201: Of<{ 'application/json': Thing }> };
    };
  };
  '/run': {
    post: {
      parameters: { query?: never; header?: never; path?: never };
      requestBody?: { content: { 'application/json': Thing } };
      responses: { 200: Of<{ 'application/json': Thing }>; 204: { headers: {}; content?: never } };
    };
  };
  '/text': {
    get: {
      parameters: { query?: never; header?: never; path?: never };
      requestBody?: never;
      responses: { 200: Of<{ 'text/plain': string }> };
    };
  };
}

/** What the service was sent. */
interface Asked extends Pick<IncomingMessage, 'method' | 'url' | 'headers'> {
  readonly body: string;
}

let baseUrl: string;
let asked: Asked[];
/** What it answers, one after the other; the last one again and again. */
let answers: RequestListener[];

const server = createServer((request, response) => {
  const answer = answers.length > 1 ? answers.shift() : answers[0];
  void text(request)
    .then((body) => asked.push({ method: request.method, url: request.url, headers: request.headers, body }))
    .then(() => answer?.(request, response));
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  baseUrl = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  answers = [json(200, { id: '7' })];
});

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RequestListener {
  return (_, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function problem(status: number, more: object = {}, headers: Readonly<Record<string, string>> = {}): RequestListener {
  const body = { type: 'about:blank', title: 'Title', status, ...more };
  return json(status, body, { 'content-type': 'application/problem+json', ...headers });
}

/** Half of a reply, then nothing. */
const cut: RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{"id":', () => response.destroy());
};

type Options = Partial<ClientOptions<'application/json'>>;

function client(options: Options = {}): Client<Paths> {
  return clientOf<Paths>({ baseUrl, ...options });
}

const one = { params: { path: { id: '7' } } };
const get = (options?: Options) => client(options).GET('/things/{id}', one);
const run = (options?: Options) => client(options).POST('/run');
const getText = { parseAs: 'text' } as const;

describe('a request', () => {
  it('has its parameters where the contract says, each as it was given', async () => {
    const query = { tag: ['a&b', 'c'], page: undefined };
    const params = { path: { id: 'a/b?c' }, query };
    await client({ baseUrl: `${baseUrl}/v1/` }).GET('/things/{id}', { params });
    expect(asked).toMatchObject([{ method: 'GET', url: '/v1/things/a%2Fb%3Fc?tag=a%26b&tag=c' }]);
  });

  it.each(['', '.', '..'])('is not sent when the parameter "%s" would lead elsewhere', async (id) => {
    await expect(client().GET('/things/{id}', { params: { path: { id } } })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(asked).toEqual([]);
  });

  it.each([
    '/v2/things/8?tag=a',
    '/v2/../v2/things/8?tag=a',
    'things/8?tag=a',
    './things/8?tag=a',
    'http:things/8?tag=a',
  ])('goes where a link says: %s', async (at) => {
    await client({ baseUrl: `${baseUrl}/v2/` }).GET('/things/{id}', { at });
    expect(asked).toMatchObject([{ method: 'GET', url: '/v2/things/8?tag=a' }]);
    expect((await get()).response.url).toBe(`${baseUrl}/things/7`);
  });

  it('goes where a link says, whatever its parameters, and an error names the operation', async () => {
    const params = { path: { id: '7' }, query: { tag: ['a'] } };
    answers = [problem(404)];
    const call = client().GET('/things/{id}', { params, at: '/things/8?tag=b' });
    await expect(call).rejects.toMatchObject({ tags: { operation: 'GET /things/{id}' } });
    expect(asked).toMatchObject([{ url: '/things/8?tag=b' }]);
  });

  it.each(['/other', '/shopping/things/8', '/', '../other', '/shop/../other', '/shop/%2e%2E/other', 'a/../../other'])(
    'does not go to another service at the same place: %s',
    async (at) => {
      const token = vi.fn<() => string>(() => 'secret');
      const shop = client({ baseUrl: `${baseUrl}/shop`, token });
      await expect(shop.GET('/things/{id}', { at })).rejects.toMatchObject({ code: 'invalid_argument' });
      expect([asked, token.mock.calls]).toEqual([[], []]);
    },
  );

  it.each(['https://example.com/things/8', '//example.com/things/8', 'file:///things/8', 'http://['])(
    'does not go to another service: %s',
    async (at) => {
      const token = vi.fn<() => string>(() => 'secret');
      await expect(client({ token }).GET('/things/{id}', { at })).rejects.toMatchObject({ code: 'invalid_argument' });
      expect([asked, token.mock.calls]).toEqual([[], []]);
    },
  );

  it('asks for the media type of the client, and else for JSON', async () => {
    const inHal = clientOf<Paths, 'application/hal+json'>({ baseUrl, accept: 'application/hal+json' });
    const { _links: links } = (await inHal.GET('/things/{id}', one)).data;
    expect(links).toBeUndefined();
    await get();
    expect(asked.map(({ headers: { accept } }) => accept)).toEqual([
      'application/hal+json, application/json;q=0.9, */*;q=0.1',
      'application/json, application/problem+json, */*;q=0.1',
    ]);
  });

  it('has its body as JSON', async () => {
    await client().POST('/things', { body: { id: '7' } });
    await run();
    expect(asked.map(({ headers, body }) => [headers['content-type'], body])).toEqual([
      ['application/json', '{"id":"7"}'],
      [undefined, ''],
    ]);
  });

  it('has the token', async () => {
    await get({ token: () => Promise.resolve('secret') });
    expect(asked[0]?.headers).toMatchObject({ authorization: 'Bearer secret' });
  });
});

describe('a reply', () => {
  it('has data, and the response with status and headers', async () => {
    answers = [json(200, { id: '7' }, { etag: '"a"' })];
    const { data, response } = await get();
    expect([response.status, response.headers.get('etag'), data.id]).toEqual([200, '"a"', '7']);
  });

  it('may be text, or nothing', async () => {
    answers = [
      (_, response) => response.setHeader('content-type', 'text/plain').end('a text'),
      (_, response) => response.writeHead(204).end(),
      (_, response) => response.setHeader('content-type', 'application/json').end(),
    ];
    const { data }: { data: string } = await client().GET('/text', getText);
    expect(data).toBe('a text');
    expect((await run()).data).toBeUndefined();
    expect((await run()).data).toBeUndefined();
  });
});

it('the types know operations, parameters, bodies and replies', () => {
  const wrong = [
    // @ts-expect-error there is no such operation
    () => client().POST('/text'),
    // @ts-expect-error an id is needed
    () => client().GET('/things/{id}', { params: { path: {} } }),
    // @ts-expect-error parameters are needed
    () => client().GET('/things/{id}'),
    // @ts-expect-error it has no such parameter
    () => client().GET('/text', { params: { query: { page: 1 } } }),
    // @ts-expect-error an id is a text
    () => client().POST('/things', { body: { id: 7 } }),
    // @ts-expect-error a body is needed
    () => client().POST('/things'),
    // @ts-expect-error without its media type a reply has no links
    async (): Promise<{ _links: object }> => (await get()).data,
    // @ts-expect-error there may be no body
    async (): Promise<Thing> => (await run()).data,
  ];
  expect(wrong).toHaveLength(8);
});

describe('an error', () => {
  it('is what the problem says, and its cause all of it', async () => {
    const errors = [{ in: 'body', pointer: '/id', detail: 'must be string' }];
    answers = [
      problem(422, { code: 'no_such_thing', detail: 'Not so.', details: { id: 7 }, requestId: 'r-7', errors }),
    ];
    const error: unknown = await run().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({
      code: 'no_such_thing',
      status: 422,
      publicMessage: 'Not so.',
      details: { id: 7 },
      retryable: false,
      tags: { operation: 'POST /run', calledRequestId: 'r-7' },
      cause: { status: 422, problem: { errors } },
    });
    expect(error instanceof ServiceError && error.cause).toBeInstanceOf(ProblemReply);
  });

  it.each<[string, RequestListener, object]>([
    ['a page', (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>'), {}],
    ['JSON that is no problem', json(404, [1]), {}],
    ['no JSON at all', (_, response) => response.writeHead(404, { 'content-type': 'application/json' }).end('{'), {}],
    ['members of other types', problem(404, { code: 7, detail: {}, details: 'a' }), { publicMessage: 'Title' }],
  ])('that is told by %s has its status', async (_, answer, more) => {
    answers = [answer];
    await expect(get()).rejects.toMatchObject({ code: 'http_404', status: 404, ...more });
  });

  it('is a reply that cannot be understood, which is not asked for again', async () => {
    answers = [(_, response) => response.setHeader('content-type', 'application/json').end('{"id":')];
    await expect(get()).rejects.toMatchObject({ code: 'malformed_reply', status: 502, cause: expect.any(SyntaxError) });
    expect(asked).toHaveLength(1);
  });

  it('is a reply that was not to come', async () => {
    answers = [(_, response) => response.writeHead(304).end()];
    await expect(get()).rejects.toMatchObject({ code: 'http_304', status: 502 });
  });

  it('is a service that is not there', async () => {
    const away = { baseUrl: 'http://127.0.0.1:1' };
    await expect(get(away)).rejects.toMatchObject({
      code: 'unavailable',
      status: 503,
      tags: { operation: 'GET /things/{id}' },
    });
  });
});

describe('a request that failed is sent again', () => {
  it.each<[string, RequestListener]>([
    ['on 429', problem(429)],
    ['on 502, by whatever stands in between', (_, response) => response.writeHead(502).end('<h1>')],
    ['on 503', problem(503)],
    ['on 504', problem(504)],
    ['when it is told when', problem(409, {}, { 'retry-after': '0' })],
    ['when the connection is closed without a reply', (request) => request.socket.destroy()],
    ['when the connection is cut in the middle of the reply', cut],
  ])('%s', async (_, failure) => {
    answers = [failure, json(200, { id: '7' })];
    expect((await get()).data).toEqual({ id: '7' });
    expect(asked).toHaveLength(2);
  });

  it('with the Idempotency-Key of the caller, whatever its method', async () => {
    answers = [problem(503), cut, json(201, {})];
    await client().POST('/things', { body: { id: '8' }, params: { header: { 'idempotency-key': 'mine' } } });
    const sent = asked.map(({ headers, body }) => [headers['idempotency-key'], body]);
    expect(sent).toEqual(Array.from({ length: 3 }, () => ['mine', '{"id":"8"}']));
  });

  it('as often as it may be, and no more', async () => {
    answers = [problem(503, { code: 'busy' })];
    await expect(get({ attempts: 2 })).rejects.toMatchObject({ code: 'busy', status: 503 });
    expect(asked).toHaveLength(2);
  });
});

describe('a request that failed is not sent again', () => {
  it.each<[string, RequestListener]>([
    ['when it is the caller’s fault', problem(400)],
    ['when the service has failed', problem(500)],
  ])('%s', async (_, failure) => {
    answers = [failure];
    await expect(get()).rejects.toThrow('Title');
    expect(asked).toHaveLength(1);
  });

  it.each<[string, RequestListener]>([
    ['503', problem(503, {}, { 'retry-after': '0' })],
    ['a cut connection', cut],
  ])('when it may not be repeated: POST without a key, after %s', async (_, failure) => {
    answers = [failure];
    await expect(run()).rejects.toMatchObject({ status: 503, retryable: true });
    expect(asked).toHaveLength(1);
  });

  it('when it would have to wait beyond the deadline', async () => {
    answers = [problem(503, {}, { 'retry-after': '60' })];
    await expect(get()).rejects.toMatchObject({ status: 503, retryAfterMs: 60_000 });
    expect(asked).toHaveLength(1);
  });
});

describe('a deadline', () => {
  it('is told to the service, and holds for all attempts together', async () => {
    // The last one is never answered.
    answers = [problem(503), () => undefined];
    await expect(get({ timeoutMs: 400 })).rejects.toMatchObject({ code: 'deadline_exceeded', status: 504 });
    const [first, second] = asked.map(({ headers }) => Number(headers['x-request-timeout']));
    expect(first).toBeLessThanOrEqual(400);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(first ?? 0);
  });

  it('holds until the whole reply is there', async () => {
    answers = [(_, response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":')];
    await expect(get({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('may be one of the call', async () => {
    answers = [() => undefined];
    const call = client().GET('/text', { ...getText, timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it.each([1000.5, Infinity, 2 ** 32])('of %s ms is one', async (timeoutMs) => {
    answers = [json(200, { id: '7' })];
    expect((await get({ timeoutMs })).data).toEqual({ id: '7' });
  });

  it('holds while a token is waited for, and so does the signal of the call', async () => {
    const { promise: token } = Promise.withResolvers<string>();
    const waiting = { token: () => token };
    await expect(get({ timeoutMs: 20, ...waiting })).rejects.toMatchObject({ code: 'deadline_exceeded' });
    const controller = new AbortController();
    const call = client(waiting).GET('/text', { ...getText, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  it('that has passed ends the call', async () => {
    answers = [() => undefined];
    await expect(get({ timeoutMs: -1 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });

  it('does not hide what the caller has given up for', async () => {
    const controller = new AbortController();
    answers = [() => controller.abort(new Error('enough'))];
    await expect(client().GET('/text', { ...getText, signal: controller.signal })).rejects.toThrow('enough');
    await expect(client().GET('/text', { ...getText, signal: controller.signal })).rejects.toThrow('enough');
    expect(asked).toHaveLength(1);
  });
});

describe('the wait before the next attempt', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is as long as the service says', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const replies = [new Response('', { status: 503, headers: { 'retry-after': '2' } }), Response.json({ id: '7' })];
    const send = vi.fn<() => Promise<Response>>(() => Promise.resolve(replies.shift() ?? Response.error()));
    const call = get({ fetch: send });
    await vi.advanceTimersByTimeAsync(1999);
    expect(send).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect((await call).data).toEqual({ id: '7' });
  });

  it('ends when the caller gives up', async () => {
    answers = [problem(503, {}, { 'retry-after': '5' })];
    const controller = new AbortController();
    const call = client().GET('/text', { ...getText, signal: controller.signal });
    await expect.poll(() => asked.length).toBe(1);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

describe('within a request that is being served', () => {
  function contextFor(ms: number): Context {
    const trace = parseTrace('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    return new Context({ id: 'r-1', deadline: performance.now() + ms, ...(trace && { trace }) });
  }

  it('a call takes id and trace along, and what time is left', async () => {
    await runWith(contextFor(1000), () => get({ fetch: contextFetch }));
    expect(asked[0]?.headers).toMatchObject({
      'x-request-id': 'r-1',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
    expect(Number(asked[0]?.headers['x-request-timeout'])).toBeLessThanOrEqual(990);
  });

  it('a call has its own deadline, when that comes first', async () => {
    await runWith(contextFor(60_000), () => get({ fetch: contextFetch, timeoutMs: 500 }));
    expect(Number(asked[0]?.headers['x-request-timeout'])).toBeLessThanOrEqual(500);
  });

  it('a call ends with the request, and is not repeated after it', async () => {
    const context = contextFor(60_000);
    answers = [() => context.cancel(new Error('the caller has gone'))];
    await expect(runWith(context, () => get({ fetch: contextFetch }))).rejects.toThrow('the caller has gone');
    await expect(runWith(contextFor(5), () => get({ fetch: contextFetch }))).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
    expect(asked).toHaveLength(1);
  });
});
