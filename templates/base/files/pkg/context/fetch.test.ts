import { once } from 'node:events';
import { type IncomingHttpHeaders, type Server, createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Context, contextFetch, parseTimeout, parseTrace, runWith } from './index.ts';

let server: Server;
let url: string;
let asked: IncomingHttpHeaders[] = [];

beforeEach(async () => {
  asked = [];
  // Answers at once, but for /slow, which never does.
  server = createServer((request, response) => {
    asked.push(request.headers);
    if (request.url !== '/slow') response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function contextFor(ms: number): Context {
  const place = parseTrace('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'rojo=1');
  return new Context({ id: 'r-1', deadline: performance.now() + ms, ...(place && { trace: place }) });
}

describe('a call', () => {
  it('takes id, trace and the time that is left along, less an overhead', async () => {
    await runWith(contextFor(1000), () => contextFetch(url, { headers: { accept: 'text/csv' } }));
    expect(asked).toEqual([
      expect.objectContaining({
        accept: 'text/csv',
        'x-request-id': 'r-1',
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        tracestate: 'rojo=1',
      }),
    ]);
    const left = Number(asked[0]?.['x-request-timeout']);
    expect(left).toBeGreaterThan(500);
    expect(left).toBeLessThanOrEqual(990);
  });

  it.each(['0', '', '-5', '1.5', '0x10', '900000'])(
    'replaces a time limit of %j by the time that is left',
    async (own) => {
      await runWith(contextFor(1000), () => contextFetch(url, { headers: { 'x-request-timeout': own } }));
      expect(Number(asked[0]?.['x-request-timeout'])).toBeGreaterThan(1);
      expect(Number(asked[0]?.['x-request-timeout'])).toBeLessThanOrEqual(990);
    },
  );

  it('keeps a time limit of its own that ends earlier', async () => {
    await runWith(contextFor(100_000), () => contextFetch(url, { headers: { 'x-request-timeout': '70' } }));
    expect(asked[0]?.['x-request-timeout']).toBe('70');
  });

  it('outside of a request takes nothing along', async () => {
    await contextFetch(url);
    expect(Object.keys(asked[0] ?? {})).not.toContain('traceparent');
    expect(Object.keys(asked[0] ?? {})).not.toContain('x-request-timeout');
  });

  it('is not made when there is no time left', async () => {
    const call = runWith(contextFor(5), () => contextFetch(url));
    await expect(call).rejects.toMatchObject({ code: 'deadline_exceeded', status: 504 });
    expect(asked).toEqual([]);
  });

  it('ends at the deadline', async () => {
    const call = runWith(contextFor(500), () => contextFetch(`${url}/slow`));
    await expect(call).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(asked).toHaveLength(1);
  });

  it('ends when its own signal says so', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(runWith(contextFor(1000), () => contextFetch(url, { signal }))).rejects.toThrow('enough');
  });
});

describe('X-Request-Timeout', () => {
  it.each([
    ['1', 1],
    ['250', 250],
    ['007', 7],
    ['60000', 60_000],
    ['60001', 60_000],
    ['9'.repeat(400), 60_000],
  ])('%s is %i ms', (value, ms) => {
    expect(parseTimeout(value, 60_000)).toBe(ms);
  });

  it.each([undefined, '', '0', '-5', '1.5', '1e3', '5s', '0x10', 'Infinity', 'NaN', '10, 20', ' 5'])(
    '%j says nothing',
    (value) => {
      expect(parseTimeout(value, 60_000)).toBeUndefined();
    },
  );
});
