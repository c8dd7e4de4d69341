import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineModule } from '../app/module.ts';
import { Echo, type HealthClient, type TestService, echoes, testService, until } from './testing.ts';

let service: TestService;
let client: HealthClient;
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
  client = service.health();
  await until(async () => (await client.check()) === 'SERVING');
});
afterEach(() => service.stop());

describe('health', () => {
  it('is told of the whole, and of each service', async () => {
    expect(await client.check('test.Echo')).toBe('SERVING');
    await expect(client.check('nothing')).rejects.toMatchObject({ code: 5 });
  });

  it('follows the modules, for those who ask and those who watch', async () => {
    const seen: string[] = [];
    const watching = client.watch('test.Echo').on('data', ({ status }) => seen.push(status));
    watching.on('error', () => undefined);
    await until(() => seen.length === 1);
    health = () => Promise.reject(new Error('no connection'));
    await until(async () => (await client.check()) === 'NOT_SERVING');
    health = async () => {};
    await until(async () => (await client.check()) === 'SERVING');
    await until(() => seen.length === 3);
    expect(seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
    watching.cancel();
    await until(() => service.grpc.calls === 0);
  });

  it('of a service that is not there is unknown to those who watch it', async () => {
    const seen: string[] = [];
    const watching = client.watch('nothing').on('data', ({ status }) => seen.push(status));
    watching.on('error', () => undefined);
    await until(() => seen.length === 1);
    expect(seen).toEqual(['SERVICE_UNKNOWN']);
    watching.cancel();
  });
});
