import { constants } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Health, HealthCheckResponse_ServingStatus as Serving } from '../../../api/gen/grpc/health/v1/health_pb.ts';
import { current } from '../../../pkg/context/index.ts';
import { defineModule } from '../app/module.ts';
import { frame } from './frames.ts';
import { Echo, type TestService, echoes, testService, until } from './testing.ts';

let service: TestService;
let looks = 0;
let health: () => Promise<void>;
const looked = defineModule({
  name: 'looked',
  config: Type.Object({}),
  requires: [],
  start: () => ({
    value: undefined,
    health() {
      looks += 1;
      return health();
    },
  }),
});

beforeEach(async () => {
  looks = 0;
  health = async () => {};
  service = await testService((grpc) => grpc.add(Echo, echoes), {}, [looked]);
});
afterEach(() => service.stop());

describe('health', () => {
  it('is looked at once for all who ask or watch at about the same time', async () => {
    const client = service.open().client(Health);
    const leave = new AbortController();
    let told = 0;
    const watching = Array.from({ length: 20 }, async () => {
      for await (const { status } of client.watch({}, { signal: leave.signal })) {
        expect(status).toBe(Serving.SERVING);
        told += 1;
      }
    });
    const checks = await Promise.all(Array.from({ length: 20 }, () => client.check({})));
    expect(new Set(checks.map(({ status }) => status))).toEqual(new Set([Serving.SERVING]));
    await until(() => told === watching.length);
    expect(looks).toBe(1);
    leave.abort();
    await Promise.allSettled(watching);
  });

  it('is told anew after a while', async () => {
    const client = service.open().client(Health);
    expect(await client.check({})).toMatchObject({ status: Serving.SERVING });
    health = () => Promise.reject(new Error('no connection'));
    await until(async () => (await client.check({})).status === Serving.NOT_SERVING);
    health = async () => {};
    await until(async () => (await client.check({})).status === Serving.SERVING);
  });

  it('is told to those who still wait when the one that asked first has left', async () => {
    health = () => sleep(200, undefined, { signal: current().signal });
    const session = await service.raw();
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined).end(frame(Buffer.alloc(0)));
    await until(() => looks === 1);
    const second = service.open().client(Health).check({});
    stream.close(constants.NGHTTP2_CANCEL);
    expect(await second).toMatchObject({ status: Serving.SERVING });
    expect(looks).toBe(1);
  });
});
