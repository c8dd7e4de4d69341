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
  wiring: { memory: 'internal/platform/resource/memory.ts' },
});
