import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createLogger, type Logger } from './logger.ts';

const secret = 'hunter2';

/** @returns the one line that a call writes */
async function logged(write: (log: Logger) => void): Promise<string> {
  const lines: string[] = [];
  write(await createLogger('info', { write: (line) => void lines.push(line) }));
  expect(lines).toHaveLength(1);
  const [line = ''] = lines;
  expect(JSON.parse(line)).toBeTypeOf('object');
  return line;
}

/** As HTTP clients throw it, with the request that failed. */
function clientError(): Error {
  const headers = { Authorization: `Bearer ${secret}`, 'x-api-key': secret, accept: 'kept' };
  const request = Object.assign(new EventEmitter(), {
    method: 'GET',
    headers,
    socket: { secret, large: 'x'.repeat(100_000) },
    _header: `GET / HTTP/1.1\r\nauthorization: ${secret}\r\n`,
  });
  return Object.assign(new Error('Request failed'), {
    config: { headers, auth: { username: 'u', password: secret }, data: `{"password":"${secret}"}` },
    request,
    response: { config: { headers }, request, status: 500 },
    toJSON: () => ({ config: { headers } }),
  });
}

describe('a secret is hidden', () => {
  it.each<[string, unknown]>([
    ...[
      'passwd',
      'pwd',
      'dbPassword',
      'passphrase',
      'passCode',
      'privateKey',
      'accessKey',
      'access_key',
      'jwt',
      'bearer',
      'dsn',
    ].map((name): [string, unknown] => [`named ${name}`, { [name]: secret }]),
    ['as a number', { pin: 4711, otp: 4711, token: secret }],
    ['in an object', { a: { b: [{ c: { 'X-Api-Key': secret } }] } }],
    ['in what toJSON returns', { a: { toJSON: () => ({ token: secret, b: { toJSON: () => ({ token: secret }) } }) } }],
    [
      'in a class with toJSON',
      {
        a: new (class {
          readonly #t = secret;
          toJSON() {
            return { token: this.#t };
          }
        })(),
      },
    ],
    ['in an error', { err: clientError() }],
    ['in an error under another name', { fault: clientError() }],
    ['in errors of a list', { faults: [clientError(), { deep: clientError() }] }],
    ['in the cause of an error', { err: new Error('a', { cause: new Error(`token=${secret}`) }) }],
    ['in an AggregateError', { err: new AggregateError([clientError()]) }],
    ['in the message of an error', { err: new Error(`connecting to postgres://app:${secret}@db/orders`) }],
    ['in rawHeaders', { req: { rawHeaders: ['Host', 'a', 'Authorization', secret, 'Cookie', `s=${secret}`] } }],
    [
      'in pairs',
      {
        headers: [
          ['authorization', secret],
          ['x-api-key', secret],
        ],
      },
    ],
    [
      'in headers as objects',
      {
        headers: [
          { name: 'x-api-key', value: secret },
          { key: 'cookie', value: secret },
        ],
      },
    ],
    ['in the arguments of a command', { args: ['run', '--password', secret] }],
    ['in a URL with a token as password', { url: `postgres://app:${'a'.repeat(1500)}${secret}@db/orders` }],
    ['in a URL with an @ in the name of the user', { url: `postgres://app@srv:${secret}@db/orders` }],
    ['in a URL', { url: `amqps://app:${secret}@mq.example.com:5671/v` }],
    ['in a URL with an odd password', { url: `postgres://app:p#/?@${secret}@db:5432/orders` }],
    ['in a URL without a user', { url: `redis://:${secret}@cache` }],
    ['in the second of two URLs', { url: `http://a:8080/b?c,redis://:${secret}@cache` }],
    ['in both of two URLs', { url: `redis://:${secret}@a,redis://:${secret}@b` }],
    ['in a URL as a token', { url: `https://${secret}@git.example.com/a.git` }],
    ['in a URL object', { url: new URL(`https://app:${secret}@example.com/`) }],
    ['in a query', { path: `/callback?a=1&access_token=${secret}&b=2` }],
    ['in a head of HTTP', { head: `GET / HTTP/1.1\r\nx-api-key: ${secret}\r\nCookie: a=1; b=${secret}\r\n` }],
    ['after Bearer', { text: `sent Bearer ${secret}` }],
    ['after Basic', { text: `sent basic ${Buffer.from(`app:${secret}`).toString('base64')}` }],
    ['in JSON in a text', { text: `{"a":1,"password":"${secret} and more"}` }],
    ['in JSON in JSON', { text: JSON.stringify(JSON.stringify({ apiKey: secret })) }],
    [
      'in an object that was printed',
      { text: `{ headers: { authorization: '${secret}', 'x-api-key': '${secret}' } }` },
    ],
  ])('%s', async (_where, fields) => {
    const line = await logged((log) => log.info(fields, 'test'));
    expect(line).not.toContain(secret);
    expect(line).not.toContain(Buffer.from(`app:${secret}`).toString('base64'));
    expect(line).toContain('[redacted]');
  });

  it.each<[string, (log: Logger) => void]>([
    ['of a child', (log) => log.child({ token: secret, url: `http://a:${secret}@b` }).info('test')],
    [
      'of a child of a child',
      (log) =>
        log
          .child({ a: 1 })
          .child({ a: { password: secret } })
          .info('test'),
    ],
    ['of a child with options', (log) => log.child({ token: secret }, { level: 'debug' }).info('test')],
  ])('in the fields %s', async (_where, write) => {
    const line = await logged(write);
    expect(line).not.toContain(secret);
    expect(line).toContain('[redacted]');
  });

  it.each<[string, (log: Logger) => void]>([
    ['in the message', (log) => log.info(`using postgres://app:${secret}@db`)],
    ['in the message beside fields', (log) => log.info({ a: 1 }, `token=${secret}`)],
    ['put into the message as text', (log) => log.info('using %s', `Bearer ${secret}`)],
    ['put into the message as JSON', (log) => log.info({ a: 1 }, 'using %j', { password: secret })],
    ['in an error alone', (log) => log.error(clientError())],
    ['in the message of an error alone', (log) => log.error(new Error(`password=${secret}`))],
    ['in the message of an error', (log) => log.error({ err: new Error(`password=${secret}`) })],
    ['in an error beside a message', (log) => log.error(clientError(), 'test')],
  ])('%s', async (_where, write) => {
    const line = await logged(write);
    expect(line).not.toContain(secret);
    expect(line).toContain('[redacted]');
  });
});

it.each<[string, Record<string, unknown>]>([
  ['a URL with a port', { url: 'http://localhost:8080/@scope/a?b=c@d' }],
  ['a path', { path: '/oauth/token/password' }],
  ['a challenge', { header: 'Bearer realm="orders", error="invalid_token"' }],
  ['a message about settings', { text: 'x\n  DB_PASSWORD: expected at least 16 characters' }],
  ['words', { text: 'Basic authentication; a bearer token is needed; invalid token: expired' }],
  ['a list of names', { modules: ['http', 'auth', 'auth', 'contract'], required: ['id', 'token', 'name'] }],
  ['a setting about secrets', { config: { AUTH_JWT_TYPE: 'at+jwt' } }],
  ['a boolean', { hasPassword: true, nested: { token: false } }],
])('%s is shown as it is', async (_what, fields) => {
  expect(JSON.parse(await logged((log) => log.info(fields, 'test')))).toMatchObject(fields);
});

describe('a line', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = [cycle, cycle];
  it.each<[string, unknown]>([
    ['a long text', { text: 'x'.repeat(1_000_000) }],
    ['control characters', { text: '\0'.repeat(100_000), more: { text: '\u0001'.repeat(100_000) } }],
    ['quotes', { text: '"'.repeat(100_000) }],
    ['many fields', Object.fromEntries(Array.from({ length: 100_000 }, (_each, index) => [`field${index}`, index]))],
    ['long names', { a: { ['x'.repeat(100_000)]: 1 }, b: 2 }],
    ['a long list', { list: Array.from({ length: 100_000 }, (_each, index) => index) }],
    ['a sparse list', { list: Object.assign([], { length: 4_000_000_000 }) }],
    ['bytes', { bytes: Buffer.alloc(1_000_000) }],
    ['a wide tree', { tree: tree(8) }],
    ['a deep tree', { tree: nested(100_000) }],
    ['itself', cycle],
    ['an error with a long message', { err: new Error('x'.repeat(1_000_000)) }],
    ['the error of a client', { err: clientError() }],
    ['many URLs', { text: 'a://b'.repeat(20_000) }],
    ['words that look like secrets', { text: 'token'.repeat(20_000) }],
  ])('has a largest size, whatever is in it: %s', async (_what, fields) => {
    const line = await logged((log) => log.info(fields, 'x'.repeat(100_000)));
    expect(line.length).toBeLessThan(16_384);
  });

  it('shows of requests, replies and sockets only their class', async () => {
    const req = Object.assign(new EventEmitter(), { method: 'GET', headers: { a: 'b' } });
    expect(JSON.parse(await logged((log) => log.info({ req }, 'test')))).toMatchObject({ req: '[EventEmitter]' });
  });

  it.each<[string, unknown]>([
    ['a getter that throws', { a: Object.defineProperty({}, 'b', { enumerable: true, get: () => fail() }) }],
    ['a getter of its own that throws', Object.defineProperty({}, 'b', { enumerable: true, get: () => fail() })],
    ['toJSON that throws', { a: { toJSON: () => fail() } }],
    ['a proxy', { a: new Proxy({}, { get: () => fail(), ownKeys: () => fail(), has: () => fail() }) }],
    ['a proxy itself', new Proxy({}, { get: () => fail(), ownKeys: () => fail(), getPrototypeOf: () => fail() })],
    ['a revoked proxy', { a: revoked() }],
    ['an invalid date', { a: new Date(Number.NaN) }],
    ['a bigint', { a: 1n, b: { c: 1n } }],
    ['a symbol', { a: Symbol('a'), b: [Symbol('b')] }],
    ['a frozen error', { err: Object.freeze(new Error('frozen')) }],
  ])('is written although something in it cannot be read: %s', async (_what, fields) => {
    expect(await logged((log) => log.info(fields, 'written'))).toContain('"msg":"written"');
  });
});

function fail(): never {
  throw new Error('unreadable');
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function tree(depth: number): unknown {
  return depth === 0 ? 'leaf' : Array.from({ length: 8 }, () => tree(depth - 1));
}

function nested(depth: number): unknown {
  let inner: unknown = 'leaf';
  for (let level = 0; level < depth; level += 1) inner = { inner };
  return inner;
}
