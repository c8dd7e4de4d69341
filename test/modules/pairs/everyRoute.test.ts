import { METHODS } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Agent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import type { RouteOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Type } from 'typebox';
import { Service } from '../../../templates/base/files/internal/platform/app/lifecycle.ts';
import { modules } from '../../../templates/base/files/internal/platform/app/modules.gen.ts';
import { defineModule } from '../../../templates/base/files/internal/platform/app/module.ts';
import { readConfig } from '../../../templates/base/files/internal/platform/config/config.ts';
import { testSettings } from '../../../templates/base/files/internal/platform/http/config.ts';
import { http } from '../../../templates/base/files/internal/platform/http/module.ts';
import { noContent, ref } from '../../../templates/base/files/internal/platform/http/problems.ts';
import type { Http } from '../../../templates/base/files/internal/platform/http/server.ts';
import { createLogger } from '../../../templates/base/files/internal/platform/log/logger.ts';
import { metrics } from '../../../templates/base/files/internal/platform/metrics/module.ts';
import {
  audience,
  issuer,
  sign,
  testKey,
} from '../../../templates/modules/auth/files/internal/platform/auth/testing.ts';
import { TestFiles, testCertificate } from '../../../templates/modules/tls/files/internal/platform/tls/testing.ts';
import { resources } from '../../../templates/base/files/internal/resources.gen.ts';
import { versionsOfResources } from '../../../templates/base/files/internal/versions.gen.ts';
import { defineVersions } from '../../../templates/modules/versioning/files/internal/platform/versioning/apiVersions.ts';
import { versioningOf } from '../../../templates/modules/versioning/files/internal/platform/versioning/module.ts';

/** What a client sends. */
interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What it gets. */
interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const anId = '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55';
/** In the pattern of a route. */
const parameter = /:\w+(?:\([^)]*\))?|\*/g;
/** In the place of a parameter of a path or of a query. */
const texts = [
  '', '%00', '%zz', '%ED%A0%80', '%F0%9F%92%A9', '%2F..%2F', '7', '-1', '1e99', 'NaN', '9007199254740993', '%27%3B--',
  'x'.repeat(101), 'x'.repeat(1000), '__proto__', '*', '[]', '%5B1e99%2C%22x%22%5D', 'WzFlOTksIngiXQ', anId,
]; // prettier-ignore
/** In the place of a member of a body. */
const literals = [
  'null', 'true', '[]', '{}', '""', '" "', String.raw`"\u0000"`, String.raw`"\ud800"`, String.raw`"\udc00\ud800"`, '"\u202e"',
  `"${'x'.repeat(10_000)}"`, '0', '-0', '-1', '1.5', '1e99', '1e400', '-1e400', '9007199254740993', '{"__proto__":{}}',
]; // prettier-ignore
const bodies = ['', '{', '{}', '[]', 'null', '"', '\0', '1e400', '"x"', '['.repeat(100), '{"a":1,"a":2}', '\u00ff'];
const types = [
  'application/json', 'application/json; charset=utf-16', 'APPLICATION/JSON', 'application/x+json', 'text/plain', '/', ';',
  'multipart/form-data; boundary=', 'application/json;charset="', 'application/x-www-form-urlencoded', 'x'.repeat(1000),
]; // prettier-ignore
const odd: Readonly<Record<string, readonly string[]>> = {
  accept: ['', '*/*;q=0', 'application/hal+json', 'a/b;q=2,,;', 'x'.repeat(3000)],
  'accept-encoding': ['*;q=0', 'br;q=NaN', 'gzip, br', 'identity;q=0', ','],
  'accept-version': ['1.x', '>=2', '', 'x'],
  'api-version': ['9', '1e99', '', 'x'],
  'content-length': ['0'],
  'content-encoding': ['gzip', 'x'],
  expect: ['100-continue', '200-ok'],
  forwarded: ['for="[::1]:1"', ';'],
  host: [':', '[::1', 'a:99999', '..', 'a,b'],
  'idempotency-key': ['\u00e9', ' ', 'x'.repeat(256), 'a'],
  'if-match': ['*', '"x"'],
  'if-modified-since': ['x', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  'if-none-match': ['*', 'W/"x"', '"', ',,,', '"a,b", W/"', 'x'],
  'if-unmodified-since': ['x'],
  'max-forwards': ['0'],
  origin: ['null', 'x', 'https://shop.example.com'],
  range: ['bytes=-1', 'bytes=9-1', 'bytes=99999-', 'x'],
  traceparent: ['x', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-00`, `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`],
  tracestate: ['=', 'a=b,'.repeat(40)],
  'x-forwarded-for': ['x', ',', '203.0.113.9:1', '[::1', '1.2.3.4, unknown'],
  'x-forwarded-host': ['x y', ':'],
  'x-forwarded-proto': ['x', ','],
  'x-http-method-override': ['TRACE'],
  'x-request-timeout': ['0', '-1', 'x', '1e99', '99999999999999999999'],
};
const readings = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** In place of the service's own, which has one version. */
const versioning = versioningOf(defineVersions({ default: 1, versions: { 1: {}, 2: {} } }), versionsOfResources);

/** Routes of many kinds, as users write them. */
const probes = defineModule({
  name: 'probes',
  config: Type.Object({}),
  requires: [http, versioning],
  start({ use }) {
    const server = use(http);
    const Thing = Type.Object(
      { text: Type.String(), count: Type.Integer(), any: Type.Optional(Type.Unknown()) },
      { $id: 'Thing', additionalProperties: false },
    );
    server.addSchema(Thing);
    const query = Type.Object({ n: Type.Optional(Type.Integer()), list: Type.Optional(Type.Array(Type.Number())) });
    const params = Type.Object({ id: Type.String() });
    server.put(
      '/probes/:id',
      { schema: { params, body: ref(Thing), response: { 200: ref(Thing) } } },
      ({ body }) => body,
    );
    server.get('/probes/:id/parts/:part', { schema: { querystring: query } }, ({ params: found, query: asked }) => ({
      found,
      asked,
    }));
    server.delete('/probes/:id', { schema: { response: noContent } }, (_request, reply) => reply.code(204).send());
    server.patch('/probes', (request) => ({ is: typeof request.body, from: request.ip, host: request.hostname }));
    server.get('/probes/response', () => Response.json({ a: 'x'.repeat(2000) }));
    server.get('/probes/stream', (_request, reply) => reply.type('text/plain').send(Readable.from(['a', 'b'])));
    server.get('/probes/nothing', (_request, reply) => reply.send());
    server.get('/probes/files/*', ({ params: found }) => ({ found }));
    use(versioning).each({ 1: 'one', 2: 'two' }, ({ route, href }, word) => {
      route({ method: 'GET', url: '/probes/versions/:id', handler: (request) => ({ word, at: href(request, '/a') }) });
    });
    return { value: undefined };
  },
});

const files = new TestFiles();
/** The kernel's own is there before anything can listen for routes. */
const routes: RouteOptions[] = [{ method: ['GET', 'HEAD'], url: '/version', handler: () => undefined }];
const lines: { msg?: string; requestId?: string; status?: number; level?: string }[] = [];
let service: Service;
let server: Http;
let port: number;
let token: string;
let scrape: () => Promise<string>;

beforeAll(async () => {
  const key = await testKey('key');
  token = await sign(key);
  files.write(await testCertificate());
  const watcher = defineModule({
    name: 'watcher',
    config: Type.Object({}),
    requires: [metrics],
    completes: http,
    start({ use }) {
      server = use(http);
      scrape = use(metrics).text;
      server.addHook('onRoute', (route) => void routes.push(route));
      return { value: undefined };
    },
  });
  const settings = {
    ...testSettings,
    ADMIN_HOST: '127.0.0.1',
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
    AUTH_ALGORITHMS: 'ES256',
    AUTH_JWKS: JSON.stringify({ keys: [key.publicJwk] }),
    HTTP_TRUSTED_PROXIES: '127.0.0.1',
    RATELIMIT_QUOTA: '0',
    RATELIMIT_WRITE_QUOTA: '0',
    TLS_CERT_FILE: files.cert,
    TLS_KEY_FILE: files.key,
  };
  const others = modules.filter(({ name }) => name !== versioning.name);
  service = new Service([watcher, ...others, versioning, ...resources, probes], {
    log: await createLogger('info', { write: (line) => void lines.push(JSON.parse(line)) }),
    configOf: (module) => readConfig(module.config, settings),
    startTimeoutMs: 60_000,
  });
  await service.start();
  const address = server.server.address();
  port = typeof address === 'object' ? (address?.port ?? 0) : 0;
}, 120_000);
afterAll(async () => {
  await service.stop(0, 5000);
  files[Symbol.dispose]();
});

/** @returns what goes wrong with each route: one thing at a time */
function* requestsOf(url: string, table: readonly RouteOptions[]): Iterable<Sent> {
  const good = url.replaceAll(parameter, anId);
  const methods = new Set(table.flatMap(({ method }) => method));
  for (const method of METHODS) if (method !== 'CONNECT') yield { method, url: good };
  for (const method of methods) {
    for (const text of texts) yield { method, url: url.replaceAll(parameter, text) };
    for (const suffix of ['/', '//', '?', '#', ';a=b', '%2F']) yield { method, url: good + suffix };
    const schema = table.find((route) => [route.method].flat().includes(method))?.schema ?? {};
    for (const name of ['a', '__proto__', ...membersOf(schema.querystring)]) {
      for (const text of texts) {
        yield { method, url: `${good}?${name}=${text}` };
        yield { method, url: `${good}?${name}[]=${text}&${name}=1` };
      }
    }
    for (const name of new Set([...Object.keys(odd), ...membersOf(schema.headers)]))
      for (const value of odd[name] ?? ['\u00e9', 'x']) yield { method, url: good, headers: { [name]: value } };
    for (const type of types) yield { method, url: good, headers: { 'content-type': type } };
    if (readings.has(method)) continue;
    for (const type of types)
      for (const body of bodies) yield { method, url: good, headers: { 'content-type': type }, body };
    const members = membersOf(schema.body);
    for (const name of members) {
      for (const literal of literals) {
        const all = members.map((each) => `"${each}":${each === name ? literal : '"1"'}`).join();
        const one = members.map((each) => `"${each}":${each === name ? literal : '1'}`).join();
        for (const body of [`{${all}}`, `{${one}}`, `{"${name}":${literal}}`])
          yield { method, url: good, headers: { 'content-type': 'application/json' }, body };
      }
    }
  }
}

function membersOf(schema: unknown): string[] {
  const { $ref: id, properties }: { $ref?: string; properties?: object } = Object(schema);
  return id === undefined ? Object.keys(properties ?? {}) : membersOf(server.getSchema(id.replace(/#$/, '')));
}

type Ask = (sent: Sent) => Promise<Got>;

const protocols: Readonly<Record<string, () => { ask: Ask; close: () => void }>> = {
  'HTTP/1.1'() {
    const agent = new Agent({ keepAlive: true, maxSockets: 20, rejectUnauthorized: false });
    const ask: Ask = async ({ method, url, headers, body }) => {
      const { promise, resolve, reject } = Promise.withResolvers<Got>();
      // Node's client frames the body of DELETE only by a length.
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      requestHttps({ port, agent, method, path: url, headers: { ...length, ...headers } }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.once('error', reject).once('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      })
        .once('error', reject)
        .end(body);
      return promise;
    };
    return { ask, close: () => agent.destroy() };
  },
  'HTTP/2'() {
    let session: ClientHttp2Session | undefined;
    const ask: Ask = async ({ method, url, headers = {}, body }) => {
      if (session === undefined || session.closed || session.destroyed) {
        session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false }).on('error', () => undefined);
      }
      const { promise, resolve, reject } = Promise.withResolvers<Got>();
      const stream = session.request(
        { ':method': method, ':path': url, ...headers },
        { endStream: body === undefined },
      );
      let [text, got] = ['', { status: 0, headers: {} }];
      stream.on('response', (head) => (got = { status: head[':status'] ?? 0, headers: head }));
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.once('error', reject).once('close', () => resolve({ ...got, body: text }));
      if (body !== undefined) stream.end(body);
      return promise;
    };
    return { ask, close: () => session?.destroy() };
  },
};

describe.each(Object.keys(protocols))('by %s', (protocol) => {
  it(
    'no request to any route is a fault of the service; each reply is safe, and leaves its line and its observation',
    { timeout: 300_000 },
    async () => {
      const { ask, close } = protocols[protocol]?.() ?? expect.fail();
      const table = Map.groupBy(routes, ({ url }) => url);
      expect([...table.keys()]).toEqual(expect.arrayContaining(['/items', '/items/:id', '/version', '/openapi.json']));
      const all = [...table].flatMap(([url, of]) => [...requestsOf(url, of)]);
      const before = observations(await scrape());
      const wrong: string[] = [];
      const statuses = new Map<string, number>();
      const left = all.entries();
      const client = async (): Promise<void> => {
        for (const [index, sent] of left) {
          const id = `${protocol}-${index}`.replace('/', '-');
          const headers = { authorization: `Bearer ${token}`, 'x-request-id': id, ...sent.headers };
          const got = await ask({ ...sent, headers }).catch((error: unknown) => error);
          if (!isGot(got)) {
            wrong.push(describeFault(sent, got));
            continue;
          }
          statuses.set(id, got.status);
          if (!isSafe(got, id)) wrong.push(describeFault(sent, got));
        }
      };
      await Promise.all(Array.from({ length: 20 }, client));
      close();
      expect(wrong.slice(0, 5)).toEqual([]);
      expect(wrong).toHaveLength(0);

      const logged = Map.groupBy(
        lines.filter(({ msg }) => msg === 'request'),
        ({ requestId }) => requestId,
      );
      const unlogged = [...statuses].filter(([id, status]) => {
        const found = logged.get(id) ?? [];
        return found.length !== 1 || found[0]?.status !== status;
      });
      expect(unlogged.slice(0, 5)).toEqual([]);
      expect(observations(await scrape()) - before).toBe(all.length);
      expect(lines.filter(({ level }) => level === 'error' || level === 'fatal').slice(0, 3)).toEqual([]);
      expect(new Set(statuses.values())).toEqual(new Set([...statuses.values()].filter((status) => status < 500)));
      for (const status of [200, 204, 304, 400, 404, 405, 414, 415]) expect([...statuses.values()]).toContain(status);
    },
  );
});

it('a method in lower case is refused, with its line and its headers', async () => {
  const count = lines.length;
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  socket.write('get /items HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 400 [^]*x-content-type-options: nosniff/);
  expect(lines.slice(count)).toMatchObject([{ msg: 'request', status: 400 }]);

  const { ask, close } = protocols['HTTP/2']?.() ?? expect.fail();
  const got = await ask({ method: 'get', url: '/items', headers: { 'x-request-id': 'lower' } });
  close();
  expect([got.status, isSafe(got, 'lower')]).toEqual([400, true]);
  expect(lines.filter(({ requestId }) => requestId === 'lower')).toMatchObject([
    { msg: 'request', method: 'get', status: 400 },
  ]);
});

function describeFault(sent: Sent, got: unknown): string {
  return `${JSON.stringify(sent).slice(0, 300)} → ${isGot(got) ? JSON.stringify(got).slice(0, 1000) : String(got)}`;
}

function isGot(value: unknown): value is Got {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value && 'body' in value;
}

function isSafe({ status, headers, body }: Got, id: string): boolean {
  const isProblem =
    status < 400 || body === '' || String(headers['content-type']).startsWith('application/problem+json');
  const isProtected =
    headers['x-content-type-options'] === 'nosniff' && headers['strict-transport-security'] !== undefined;
  return status >= 200 && status < 500 && isProblem && isProtected && headers['x-request-id'] === id;
}

function observations(text: string): number {
  const counts = text.matchAll(/^http_request_duration_seconds_count\{.*\} (\d+)$/gm);
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}
