// The gRPC contract of this service, for its callers: add a line for each file.
export * from '../../../../api/gen/items/v1/items_pb.ts';
