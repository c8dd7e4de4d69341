import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'resource',
  summary: 'What the slices of all resources share: changes, lists, versions and storage in memory',
  category: 'data',
  part: true,
  withResources: 'any',
  hosts: ['internal/platform/resource/', 'test/support/repository.ts'],
  dependencies: ['big.js'],
  devDependencies: ['@types/big.js'],
  renamed: {
    'internal/http/idempotency/idempotencyMemory.ts': 'internal/platform/resource/idempotency.ts',
    'internal/http/idempotency/fingerprint.ts': 'internal/platform/resource/idempotency.ts',
    'internal/http/idempotency/idempotency.ts': 'internal/platform/resource/idempotency.ts',
    'internal/platform/http/idempotency.ts': 'internal/platform/resource/idempotency.ts',
    'internal/http/cursor.ts': 'internal/platform/resource/http.ts',
    'internal/platform/http/cursor.ts': 'internal/platform/resource/http.ts',
  },
  wiring: { memory: 'internal/platform/resource/memory.ts' },
});
