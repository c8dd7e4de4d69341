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
  wiring: { grpc: 'internal/grpc/module.ts' },
  ownership: {
    seed: ['api/proto/items/', 'api/gen/items/', 'api/released.txtpb', 'internal/items/grpc/', 'buf.yaml'],
  },
});
