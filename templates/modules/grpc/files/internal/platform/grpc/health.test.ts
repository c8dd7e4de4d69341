import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineModule } from '../app/module.ts';
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
let session: ClientHttp2Session;
let health: () => Promise<void>;
const looked = defineModule({
  name: 'looked',
  config: Type.Object({}),
  requires: [],
  start: () => ({ value: undefined, health: () => health() }),
});

beforeEach(async () => {
  health = async () => {};
  service = await testService((grpc) => grpc.add(Echo, echoes), {}, [looked]);
  session = await service.raw();
  await until(async () => (await checkHealth(session)) === 'SERVING');
});
afterEach(() => service.stop());

function watch(name: string, seen: unknown[]): ClientHttp2Stream {
  const stream = beginRaw(session, '/grpc.health.v1.Health/Watch');
  stream.on('data', (bytes: Buffer) => seen.push(healthOf(bytes))).end(frame(text(name)));
  return stream;
}

describe('health', () => {
  it('is told of the whole, and of each service', async () => {
    expect(await checkHealth(session, 'test.Echo')).toBe('SERVING');
    expect(await checkHealth(session, 'nothing')).toBeUndefined();
  });

  it('follows the modules, for those who ask and those who watch', async () => {
    const seen: unknown[] = [];
    const watching = watch('test.Echo', seen);
    await until(() => seen.length === 1);
    health = () => Promise.reject(new Error('no connection'));
    await until(async () => (await checkHealth(session)) === 'NOT_SERVING');
    health = async () => {};
    await until(async () => (await checkHealth(session)) === 'SERVING');
    await until(() => seen.length === 3);
    expect(seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
    watching.close(constants.NGHTTP2_CANCEL);
    await until(() => service.grpc.calls === 0);
  });

  it('of a service that is not there is unknown to those who watch it', async () => {
    const seen: unknown[] = [];
    watch('nothing', seen);
    await until(() => seen.length === 1);
    expect(seen).toEqual(['SERVICE_UNKNOWN']);
  });
});
