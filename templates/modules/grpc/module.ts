import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'grpc',
  summary: 'gRPC on its own port: contract first, health, reflection, a typed client',
  category: 'api',
  requires: ['identity'],
  dependencies: [
    '@bufbuild/protobuf',
    '@connectrpc/connect',
    '@connectrpc/connect-node',
    '@grpc/grpc-js',
    '@grpc/reflection',
    'grpc-health-check',
  ],
  devDependencies: ['@bufbuild/buf', '@bufbuild/protoc-gen-es'],
  scripts: {
    proto: 'buf lint && buf generate && oxfmt api/gen',
  },
  tryIt: {
    trials: [
      {
        shows: 'Check its health, as Kubernetes does',
        shell: [
          '{exec} buf curl --protocol grpc --http2-prior-knowledge --schema node_modules/grpc-health-check/proto \\',
          '  http://localhost:50051/grpc.health.v1.Health/Check',
        ].join('\n'),
        prints: '"status": "SERVING"',
      },
      {
        shows: 'List the {plural} by [gRPC](grpc.md): they are the same',
        shell: [
          '{exec} buf curl {headers} --protocol grpc --http2-prior-knowledge \\',
          '  http://localhost:50051/{snake}.v1.{Pascal}Service/List{Pascals}',
        ].join('\n'),
        prints: '"version": "1"',
      },
    ],
  },
  wiring: { grpc: 'internal/platform/grpc/module.ts' },
  agentRules: ['After a change to a `.proto` file, run `{run} proto` and commit the result.'],
  next: {
    added: [
      'callers reach gRPC on port 50051 (GRPC_PORT), which a firewall or a Service may have to open',
      'each resource is served by gRPC, too; run {run} proto after each change of a .proto file',
    ],
    removed: ['callers of gRPC get no answer any more'],
  },
  renamed: {
    'internal/grpc/inFlight.ts': 'internal/platform/grpc/connections.ts',
    'internal/grpc/connections.ts': 'internal/platform/grpc/connections.ts',
    'internal/grpc/health.ts': 'internal/platform/grpc/health.ts',
    'internal/grpc/reflection.ts': 'internal/platform/grpc/health.ts',
    'internal/grpc/server.ts': 'internal/platform/grpc/server.ts',
    'internal/grpc/metrics.ts': 'internal/platform/grpc/server.ts',
    'internal/platform/grpc/limits.ts': 'internal/platform/grpc/connections.ts',
    'internal/platform/grpc/unserved.ts': 'internal/platform/grpc/connections.ts',
    'internal/grpc/': 'internal/platform/grpc/',
    'pkg/client/grpc/index.ts': 'pkg/client/grpc/index.ts',
    'pkg/client/grpc/transport.ts': 'pkg/client/grpc/index.ts',
    'pkg/client/grpc/retry.ts': 'pkg/client/grpc/retry.ts',
    'pkg/client/grpc/errors.ts': 'pkg/client/grpc/retry.ts',
    'docs/runbooks/grpc-error-budget-burn.md': 'docs/runbooks/grpc.md',
    'docs/runbooks/grpc-overload.md': 'docs/runbooks/grpc.md',
  },
});
