import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'grpc',
  summary: 'gRPC on a port of its own: contract first, health, reflection, a typed client',
  category: 'api',
  dependencies: ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node'],
  devDependencies: ['@bufbuild/buf', '@bufbuild/protoc-gen-es'],
  scripts: {
    proto: 'buf lint && buf generate && oxfmt api/gen',
    'proto:breaking':
      'buf breaking --exclude-path api/proto/google --exclude-path api/proto/grpc --against api/released.txtpb',
    'proto:release':
      'buf build --exclude-source-info --exclude-path api/proto/google --exclude-path api/proto/grpc --output api/released.txtpb',
  },
  tryIt: {
    trials: [
      {
        shows: 'What it serves, by reflection',
        shell: '{exec} buf curl --protocol grpc --http2-prior-knowledge --list-methods http://localhost:50051',
        prints: 'grpc.health.v1.Health',
      },
      {
        shows: 'Its health; the example by gRPC is served once `cmd/server/main.ts` names it: [gRPC](grpc.md#try-it)',
        shell:
          '{exec} buf curl --protocol grpc --http2-prior-knowledge http://localhost:50051/grpc.health.v1.Health/Check',
        prints: '"status": "SERVING"',
      },
    ],
  },
  wiring: { grpc: 'internal/grpc/module.ts' },
  ownership: {
    seed: ['api/proto/items/', 'api/gen/items/', 'api/released.txtpb', 'internal/items/grpc/', 'buf.yaml'],
  },
});
