import { spawnSync } from 'node:child_process';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { execa } from 'execa';
import { protoPath } from 'grpc-health-check';
import { describe, expect, it } from 'vitest';

const files = path.resolve(import.meta.dirname, '../../../templates/modules/grpc/files');
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

describe('python3-grpcio', () => {
  it.skipIf(!hasGrpc)('speaks all four kinds of calls, health and reflection with a service', async () => {
    const { testService } = await load('internal/platform/grpc/testing.ts');
    const { serveItems } = await load('internal/items/grpc/service.ts');
    const { memoryRepository } = await import(path.resolve(files, '../../../base/files/internal/items/repository.ts'));
    const service = await testService((grpc: unknown) => serveItems(grpc, memoryRepository()));
    try {
      const script = path.join(import.meta.dirname, 'client.py');
      const protos = [path.join(files, 'api/proto/items/v1/items.proto'), protoPath, reflectionProto];
      const { stdout } = await execa(python, [script, String(service.port), ...protos], {
        env: { NODE_OPTIONS: '' },
        timeout: 60_000,
      });
      expect(JSON.parse(stdout)).toEqual({
        unary: ['bolt', 3, true],
        'client stream': 500,
        'server stream': 501,
        both: [true, false, true],
        error: ['NOT_FOUND', 'There is no item "7".', true],
        oversized: 'RESOURCE_EXHAUSTED',
        compressed: 'NOT_FOUND',
        unknown: 'UNIMPLEMENTED',
        cancelled: true,
        health: 1,
        services: ['items.v1.ItemService'],
      });
      expect(service.log.text).toContain('"requestId":"from-python"');
    } finally {
      await service.stop();
    }
  });
});

describe('buf curl', () => {
  async function serve(env: Readonly<Record<string, string>> = {}) {
    const { testService } = await load('internal/platform/grpc/testing.ts');
    const { serveItems } = await load('internal/items/grpc/service.ts');
    const { memoryRepository } = await import(path.resolve(files, '../../../base/files/internal/items/repository.ts'));
    return testService((grpc: unknown) => serveItems(grpc, memoryRepository()), env);
  }
  const curl = (...args: readonly string[]) =>
    execa(buf, ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args], { reject: false, timeout: 60_000 });

  it('learns the contract from the service, and calls it by that', async () => {
    const service = await serve();
    try {
      const listed = await curl('--list-methods', service.url);
      expect(listed.stderr).toBe('');
      expect(listed.stdout.split('\n')).toEqual([
        'items.v1.ItemService/CreateItem',
        'items.v1.ItemService/GetItem',
        'items.v1.ItemService/ImportItems',
        'items.v1.ItemService/ListItems',
        'items.v1.ItemService/LookUpItems',
      ]);
      const item = { name: 'bolt', quantity: 3 };
      const created = await curl('-d', JSON.stringify(item), `${service.url}/items.v1.ItemService/CreateItem`);
      expect(JSON.parse(created.stdout)).toMatchObject({ item: { ...item, createdAt: expect.any(String) } });
      const refused = await curl('-d', '{"name":" "}', `${service.url}/items.v1.ItemService/CreateItem`);
      expect(refused.stderr).toContain('invalid_argument');
    } finally {
      await service.stop();
    }
  });

  it('asks for health by the contract of the official package', async () => {
    const service = await serve();
    try {
      const health = service.health();
      await expect.poll(() => health.check(), { timeout: 15_000 }).toBe('SERVING');
      const schema = path.resolve(path.dirname(protoPath), '../..');
      const answer = await curl('--schema', schema, `${service.url}/grpc.health.v1.Health/Check`);
      expect(JSON.parse(answer.stdout)).toEqual({ status: 'SERVING' });
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
