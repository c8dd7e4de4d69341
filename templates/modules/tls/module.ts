import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'tls',
  summary: 'TLS with HTTP/2 beside HTTP/1.1 on one port; certificates are renewed in place',
  category: 'api',
  requires: ['http2-connections'],
  devDependencies: ['selfsigned'],
  scripts: { certificate: 'node scripts/certificate.ts' },
  wiring: { tls: 'internal/platform/tls/module.ts' },
  platformTests: ['internal/platform/tls/testing.ts'],
  renamed: {
    'deploy/k8s/components/http2/': 'deploy/k8s/components/tls/',
    'deploy/observability/alerts/http2.yaml': 'deploy/observability/alerts/tls.yaml',
    'deploy/observability/dashboards/http2.json': 'deploy/observability/dashboards/tls.json',
    'docs/http2.md': 'docs/tls.md',
    'internal/http2/': 'internal/platform/tls/',
    'internal/http2/connectionHeaders.ts': 'internal/platform/tls/replies.ts',
    'internal/http2/door.ts': 'internal/platform/tls/door.ts',
    'internal/http2/handshakeErrors.ts': 'internal/platform/tls/door.ts',
    'internal/http2/module.ts': 'internal/platform/tls/module.ts',
    'internal/http2/peers.ts': 'internal/platform/tls/sessions.ts',
    'internal/http2/pieces.ts': 'internal/platform/tls/replies.ts',
    'internal/http2/replyMemory.ts': 'internal/platform/tls/replies.ts',
    'internal/http2/rules.ts': 'internal/platform/tls/module.ts',
    'internal/http2/sessions.ts': 'internal/platform/tls/sessions.ts',
  },
});
