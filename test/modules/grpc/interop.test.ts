import { spawnSync } from 'node:child_process';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { execa } from 'execa';
import { protoPath } from 'grpc-health-check';
import { describe, expect, it } from 'vitest';

const files = path.resolve(import.meta.dirname, '../../../templates/modules/grpc/files');
/** What Slipway prints for the resource of the default preset. */
const printed = path.resolve(import.meta.dirname, '../../../.cache/templates');
// Debian's, whatever other Python stands before it in PATH.
const python = '/usr/bin/python3';
const hasGrpc = spawnSync(python, ['-c', 'import grpc, grpc_tools']).status === 0;

const buf = path.resolve(import.meta.dirname, '../../../node_modules/.bin/buf');
const reflectionProto = path.join(
  path.dirname(findPackageJSON('@grpc/reflection', import.meta.url) ?? ''),
  'build/proto/grpc/reflection/v1/reflection.proto',
);

/** A part of a template: the types of another program. */
const load = (file: string) => import(path.join(files, file));

/** A service with items and `Echo`. */
async function serve(env: Readonly<Record<string, string>> = {}) {
  const { Echo, echoes, testService } = await load('internal/platform/grpc/testing.ts');
  const { serveItems } = await import(path.join(printed, 'internal/items/grpc.ts'));
  const { memoryItems } = await import(path.join(printed, 'internal/items/memory.ts'));
  const { itemService } = await import(path.join(printed, 'internal/items/service.ts'));
  const add = (grpc: { readonly add: (...args: readonly unknown[]) => void }): void => {
    serveItems(grpc, itemService(memoryItems()));
    grpc.add(Echo, echoes);
  };
  return testService(add, env);
}

describe('python3-grpcio', () => {
  it.skipIf(!hasGrpc)('speaks all four kinds of calls, health and reflection with a service', async () => {
    const service = await serve();
    try {
      const script = path.join(import.meta.dirname, 'client.py');
      const items = path.join(printed, 'api/proto/items/v1/items.proto');
      const protos = [items, path.join(import.meta.dirname, 'echo.proto'), protoPath, reflectionProto];
      const { stdout } = await execa(python, [script, String(service.port), ...protos], {
        env: { NODE_OPTIONS: '' },
        timeout: 60_000,
      });
      expect(JSON.parse(stdout)).toEqual({
        created: ['bolt', 3, 1, true],
        changed: ['bolt', 4, 2],
        pages: [['nut 3', 'nut 2'], ['nut 1', 'nut 0'], ['bolt']],
        filtered: [2],
        error: ['NOT_FOUND', true],
        malformed: 'INVALID_ARGUMENT',
        stale: 'FAILED_PRECONDITION',
        oversized: 'RESOURCE_EXHAUSTED',
        compressed: 'NOT_FOUND',
        unknown: 'UNIMPLEMENTED',
        'client stream': '012',
        'server stream': ['a', 'b'],
        both: ['0', '1', '2'],
        cancelled: true,
        health: 1,
        services: ['items.v1.ItemService', 'test.Echo'],
      });
      expect(service.log.text).toContain('"requestId":"from-python"');
    } finally {
      await service.stop();
    }
  });
});

describe('buf curl', () => {
  const curl = (...args: readonly string[]) =>
    execa(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args], { reject: false, timeout: 60_000 });

  it('learns the contract from the service, and calls it by that', async () => {
    const service = await serve();
    try {
      const listed = await curl('--list-methods', service.url);
      expect(listed.stderr).toBe('');
      expect(listed.stdout.split('\n')).toEqual([
        'items.v1.ItemService/CreateItem',
        'items.v1.ItemService/DeleteItem',
        'items.v1.ItemService/GetItem',
        'items.v1.ItemService/ListItems',
        'items.v1.ItemService/UpdateItem',
        'test.Echo/Again',
        'test.Echo/Gather',
        'test.Echo/One',
        'test.Echo/Spread',
        'test.Echo/Talk',
      ]);
      const item = { name: 'bolt', quantity: 3 };
      const created = await curl('-d', JSON.stringify({ item }), `${service.url}/items.v1.ItemService/CreateItem`);
      expect(JSON.parse(created.stdout)).toMatchObject({ ...item, version: '1', createdAt: expect.any(String) });
      const refused = await curl('-d', '{"item":{"name":""}}', `${service.url}/items.v1.ItemService/CreateItem`);
      expect(refused.stderr).toContain('invalid_argument');
    } finally {
      await service.stop();
    }
  });

  it('asks for health by the contract of the official package', async () => {
    const service = await serve();
    try {
      const schema = path.resolve(path.dirname(protoPath), '../..');
      const health = async (): Promise<unknown> => {
        const { stdout } = await curl('--schema', schema, `${service.url}/grpc.health.v1.Health/Check`);
        return JSON.parse(stdout);
      };
      await expect.poll(health, { timeout: 15_000 }).toEqual({ status: 'SERVING' });
    } finally {
      await service.stop();
    }
  });

  it('learns nothing where reflection is turned off', async () => {
    const service = await serve({ GRPC_REFLECTION: 'false' });
    try {
      const listed = await curl('--list-methods', service.url);
      expect(listed.exitCode).not.toBe(0);
      expect(listed.stderr).toContain('unimplemented');
    } finally {
      await service.stop();
    }
  });
});
