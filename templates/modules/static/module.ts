import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'static',
  summary: 'Static files: ranges, caching, compressed once during the build',
  category: 'api',
  hosts: ['internal/platform/static/'],
  dependencies: ['@fastify/static'],
  wiring: { staticFiles: 'internal/platform/static/module.ts' },
  next: {
    added: ['put files into the folder public; callers get them under /static (STATIC_PREFIX) without a token'],
    removed: ['callers get 404 under /static'],
  },
  renamed: { 'internal/static/': 'internal/platform/static/' },
});
