// What this service offers by gRPC, for its callers: add a line for each file of the contract.
export * from '../../../../api/gen/items/v1/items_pb.ts';
