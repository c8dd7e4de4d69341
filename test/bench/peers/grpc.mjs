// Bare @grpc/grpc-js: no context, log, metric or limit; the messages of the service's own contract.
import grpc from '@grpc/grpc-js';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { GetItemRequestSchema, ItemSchema } from './contract/items_pb.ts';

const at = { seconds: 0n, nanos: 0 };
const item = { name: 'bolt', quantity: 3, version: 1n, createdAt: at, updatedAt: at };
const server = new grpc.Server();
server.addService(
  {
    getItem: {
      path: '/items.v1.ItemService/GetItem',
      requestStream: false,
      responseStream: false,
      requestSerialize: (message) => Buffer.from(toBinary(GetItemRequestSchema, message)),
      requestDeserialize: (bytes) => fromBinary(GetItemRequestSchema, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(ItemSchema, message)),
      responseDeserialize: (bytes) => fromBinary(ItemSchema, bytes),
    },
  },
  {
    getItem: ({ request: { id } }, reply) => reply(null, create(ItemSchema, { id, ...item })),
  },
);
server.bindAsync(`127.0.0.1:${process.env.GRPC_PORT}`, grpc.ServerCredentials.createInsecure(), () => {});
