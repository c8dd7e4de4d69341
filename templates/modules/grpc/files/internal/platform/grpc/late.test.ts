import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { frame } from './frames.ts';
import { Echo, type TestService, echoes, testService, text, until } from './testing.ts';

let service: TestService;
let session: ClientHttp2Session;
/** Calls that have come as far as the interceptor. */
let begun: number;

beforeEach(async () => {
  begun = 0;
  service = await testService((grpc) => {
    // As the token is verified.
    grpc.intercept(async (_call, next) => {
      begun += 1;
      await sleep(100);
      await next();
    });
    grpc.add(Echo, echoes);
  });
  session = await service.raw();
});
afterEach(() => service.stop());

function begin(method: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/test.Echo/${method}`,
    'content-type': 'application/grpc',
  });
  return stream.on('error', () => undefined).resume();
}

const nothing = Buffer.alloc(0);
const half = frame(text('hello')).subarray(0, 8);
const whole = frame(text('hello'));

describe.each(['One', 'Gather', 'Spread', 'Talk'])('before the request of %s is read', (method) => {
  // A stream may be one of no messages.
  const missing =
    method === 'One' || method === 'Spread' ? [['without a message', nothing, 'message_missing'] as const] : [];
  it.each([...missing, ['in the middle of a message', half, 'message_truncated'] as const])(
    'its client has ended %s: it is answered at once',
    async (_what, bytes, code) => {
      const stream = begin(method);
      let status: unknown;
      for (const event of ['response', 'trailers'])
        stream.on(event, (headers: Record<string, unknown>) => (status ??= headers['grpc-status']));
      // Headers first, and the end apart from them.
      await until(() => begun === 1);
      stream.end(bytes);
      await until(() => status !== undefined, 5000);
      expect(status).toBe('3');
      expect(await service.metrics.text()).toContain(`errors_total{code="${code}"} 1`);
      await until(() => service.grpc.calls === 0);
    },
  );

  it.each<[string, (stream: ClientHttp2Stream) => unknown]>([
    ['has cancelled the call', (stream) => stream.close(constants.NGHTTP2_CANCEL)],
    ['has cancelled the call after its request', (stream) => stream.end(whole, () => stream.close(8))],
    ['has closed the connection', () => session.destroy()],
  ])('its client %s: its place is free again', async (_what, leave) => {
    const stream = begin(method);
    await until(() => begun === 1);
    leave(stream);
    await sleep(200);
    await expect.poll(() => service.grpc.calls, { timeout: 5000 }).toBe(0);
  });
});
