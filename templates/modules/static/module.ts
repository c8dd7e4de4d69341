import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'static',
  summary: 'Static files: ranges, caching, compressed once during the build',
  category: 'api',
  hosts: ['internal/platform/static/'],
  dependencies: ['@fastify/static'],
  wiring: { staticFiles: 'internal/platform/static/module.ts' },
  renamed: { 'internal/static/': 'internal/platform/static/' },
});
