import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const files = path.resolve(import.meta.dirname, '../../../templates/modules/grpc/files');
// Debian's, whatever other Python stands before it in PATH.
const python = '/usr/bin/python3';
const hasGrpc = spawnSync(python, ['-c', 'import grpc, grpc_tools']).status === 0;

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
      const { stdout } = await execa(python, [script, String(service.port), path.join(files, 'api/proto')], {
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
        compressed: 'UNIMPLEMENTED',
        unknown: 'UNIMPLEMENTED',
        cancelled: true,
        health: 1,
        services: ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'items.v1.ItemService'],
      });
      expect(service.log.text).toContain('"requestId":"from-python"');
    } finally {
      await service.stop();
    }
  });
});
