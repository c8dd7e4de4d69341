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
    ],
    example: {
      name: 'itemsByGrpc',
      file: 'internal/items/grpc/module.ts',
      trials: [
        {
          shows: 'List its services, by reflection',
          shell: '{exec} buf curl --protocol grpc --http2-prior-knowledge --list-methods http://localhost:50051',
          prints: 'items.v1.ItemService/CreateItem',
        },
        {
          shows: 'List the items by [gRPC](grpc.md); REST serves the same items',
          shell: [
            '{exec} buf curl {headers} --protocol grpc --http2-prior-knowledge \\',
            `  -d '{"name":"bolt","quantity":3}' http://localhost:50051/items.v1.ItemService/CreateItem`,
          ].join('\n'),
          prints: '"name": "bolt"',
        },
      ],
    },
  },
  wiring: { grpc: 'internal/platform/grpc/module.ts' },
  ownership: {
    seed: ['api/proto/items/', 'api/gen/items/', 'internal/items/grpc/', 'buf.yaml'],
  },
  agentRules: ['After a change to a `.proto` file, run `{run} proto` and commit the result.'],
  next: {
    added: [
      'callers reach gRPC on port 50051 (GRPC_PORT), which a firewall or a Service may have to open',
      'to serve the example, list itemsByGrpc in cmd/server/main.ts; run {run} proto after each change of a .proto file',
    ],
    removed: ['callers of gRPC get no answer any more'],
  },
  renamed: {
    'internal/grpc/inFlight.ts': 'internal/platform/grpc/limits.ts',
    'internal/grpc/connections.ts': 'internal/platform/grpc/limits.ts',
    'internal/grpc/health.ts': 'internal/platform/grpc/health.ts',
    'internal/grpc/reflection.ts': 'internal/platform/grpc/health.ts',
    'internal/grpc/server.ts': 'internal/platform/grpc/server.ts',
    'internal/grpc/metrics.ts': 'internal/platform/grpc/server.ts',
    'internal/grpc/': 'internal/platform/grpc/',
    'pkg/client/grpc/index.ts': 'pkg/client/grpc/index.ts',
    'pkg/client/grpc/transport.ts': 'pkg/client/grpc/index.ts',
    'pkg/client/grpc/retry.ts': 'pkg/client/grpc/retry.ts',
    'pkg/client/grpc/errors.ts': 'pkg/client/grpc/retry.ts',
    'docs/runbooks/grpc-error-budget-burn.md': 'docs/runbooks/grpc.md',
    'docs/runbooks/grpc-overload.md': 'docs/runbooks/grpc.md',
  },
});
