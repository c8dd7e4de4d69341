// Bare @grpc/grpc-js: no context, log, metric or limit; the messages of the service's own contract.
import grpc from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { GetItemRequestSchema, GetItemResponseSchema } from './contract/items_pb.ts';

const item = { name: 'bolt', quantity: 3, createdAt: { seconds: 0n, nanos: 0 } };
const server = new grpc.Server();
server.addService(
  {
    getItem: {
      path: '/items.v1.ItemService/GetItem',
      requestStream: false,
      responseStream: false,
      requestSerialize: (message) => Buffer.from(toBinary(GetItemRequestSchema, message)),
      requestDeserialize: (bytes) => fromBinary(GetItemRequestSchema, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(GetItemResponseSchema, message)),
      responseDeserialize: (bytes) => fromBinary(GetItemResponseSchema, bytes),
    },
  },
  {
    getItem: ({ request: { id } }, reply) => reply(null, create(GetItemResponseSchema, { item: { id, ...item } })),
  },
);
server.bindAsync(`127.0.0.1:${process.env.GRPC_PORT}`, grpc.ServerCredentials.createInsecure(), () => {});
