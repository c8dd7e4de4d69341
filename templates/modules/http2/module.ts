import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'http2',
  summary: 'TLS with HTTP/2, certificates renewed in place; static files; all cores of a machine',
  category: 'api',
  dependencies: ['@fastify/static'],
  devDependencies: ['selfsigned'],
  scripts: {
    certificate: 'node scripts/certificate.ts',
    'start:cluster': 'exec node dist/cmd/cluster/main.js',
    'prestart:cluster': 'node --run build',
  },
  wiring: {
    http2: 'internal/platform/http2/module.ts',
    staticFiles: 'internal/platform/static/module.ts',
  },
  platformTests: ['internal/platform/http2/testing.ts'],
  renamed: {
    'internal/cluster/': 'internal/platform/cluster/',
    'internal/http2/': 'internal/platform/http2/',
    'internal/static/': 'internal/platform/static/',
  },
});
