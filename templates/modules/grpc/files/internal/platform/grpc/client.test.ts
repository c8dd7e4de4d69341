import { afterEach, describe, expect, it } from 'vitest';
import { Echo, type TestService, echoes, testService } from './testing.ts';
import { withTimeout } from '../../../pkg/context/index.ts';
import { unavailable } from '../../../pkg/errors/index.ts';

let service: TestService;
afterEach(() => service.stop());

/** A service that fails so often, and says how often it was asked. */
async function failing(times: number): Promise<{ asked: number }> {
  const seen = { asked: 0 };
  const one: typeof echoes.one = (request) => {
    seen.asked += 1;
    if (seen.asked <= times) throw unavailable('Not now.');
    return request;
  };
  service = await testService((grpc) => grpc.add(Echo, { ...echoes, one, again: one }));
  return seen;
}

describe('a client', () => {
  it('tries again what is idempotent by its contract', async () => {
    const seen = await failing(2);
    expect(await service.open().client(Echo).again({ value: 'a' })).toMatchObject({ value: 'a' });
    expect(seen.asked).toBe(3);
  });

  it('gives up after so many tries', async () => {
    const seen = await failing(9);
    const call = service.open().client(Echo).again({ value: 'a' });
    await expect(call).rejects.toMatchObject({ grpcStatus: 'UNAVAILABLE' });
    expect(seen.asked).toBe(3);
  });

  it('does not try again what may not be done twice', async () => {
    const seen = await failing(1);
    const call = service.open().client(Echo).one({ value: 'a' });
    await expect(call).rejects.toMatchObject({ grpcStatus: 'UNAVAILABLE' });
    expect(seen.asked).toBe(1);
  });

  it('does not call at all when no time is left', async () => {
    const seen = await failing(0);
    const call = withTimeout(5, () => service.open().client(Echo).one({ value: 'a' }));
    await expect(call).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(seen.asked).toBe(0);
  });

  it('says UNAVAILABLE when nobody is there', async () => {
    await failing(0);
    const client = service.open().client(Echo);
    await service.stop();
    await expect(client.again({ value: 'a' })).rejects.toMatchObject({ grpcStatus: 'UNAVAILABLE', status: 503 });
  });
});
