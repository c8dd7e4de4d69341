import { type MessageInitShape, create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { afterEach, describe, expect, it } from 'vitest';
import { Health, HealthCheckResponse_ServingStatus as Serving } from '../../../api/gen/grpc/health/v1/health_pb.ts';
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from '../../../api/gen/grpc/reflection/v1/reflection_pb.ts';
import { Echo, type TestService, echoes, testService } from './testing.ts';

let service: TestService;
afterEach(() => service.stop());

type Asked = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']>;
type Answer = ServerReflectionResponse['messageResponse'];

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value, void> {
  yield* values;
}

async function ask(...asked: readonly Asked[]): Promise<Answer[]> {
  service = await testService((grpc) => grpc.add(Echo, echoes));
  const answers: Answer[] = [];
  const requests = each(asked.map((messageRequest) => ({ messageRequest })));
  for await (const { messageResponse } of service.open().client(ServerReflection).serverReflectionInfo(requests)) {
    answers.push(messageResponse);
  }
  return answers;
}

describe('reflection', () => {
  it('lists the services', async () => {
    const [answer] = await ask({ case: 'listServices', value: '' });
    expect(answer?.value).toMatchObject({
      service: [
        { name: 'grpc.health.v1.Health' },
        { name: 'grpc.reflection.v1.ServerReflection' },
        { name: 'test.Echo' },
      ],
    });
  });

  it.each<Asked>([
    { case: 'fileContainingSymbol', value: 'test.Echo' },
    { case: 'fileContainingSymbol', value: 'test.Echo.Talk' },
    { case: 'fileByFilename', value: 'test/echo.proto' },
  ])('describes $value such that a tool can call it', async (asked) => {
    const [answer] = await ask(asked);
    if (answer?.case !== 'fileDescriptorResponse') throw new Error(String(answer?.case));
    const file = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file }));
    expect(registry.getService('test.Echo')?.methods.map(({ name }) => name)).toContain('Talk');
  });

  it.each([
    ['grpc.health.v1.HealthCheckResponse.ServingStatus', 'grpc/health/v1/health.proto'],
    ['grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING', 'grpc/health/v1/health.proto'],
    ['grpc.health.v1.HealthCheckRequest.service', 'grpc/health/v1/health.proto'],
    ['google.protobuf.StringValue', 'google/protobuf/wrappers.proto'],
  ])('finds the file of %s', async (value, name) => {
    const [answer] = await ask({ case: 'fileContainingSymbol', value });
    if (answer?.case !== 'fileDescriptorResponse') throw new Error(String(answer?.case));
    const files = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
    expect(files.at(-1)).toBe(name);
  });

  it('says what it does not know, each in its turn', async () => {
    const answers = await ask(
      { case: 'fileContainingSymbol', value: 'test.Nothing' },
      { case: 'fileByFilename', value: 'nothing.proto' },
      { case: 'fileContainingExtension', value: { containingType: 'test.Nothing', extensionNumber: 7 } },
      { case: 'allExtensionNumbersOfType', value: 'test.Nothing' },
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.StringValue' },
      { case: undefined },
    );
    expect(answers.map(({ value }) => (value && 'errorCode' in value ? value.errorCode : 0))).toEqual([
      5, 5, 5, 5, 0, 3,
    ]);
  });

  it('can be turned off', async () => {
    service = await testService((grpc) => grpc.add(Echo, echoes), { GRPC_REFLECTION: 'false' });
    const answers = service
      .open()
      .client(ServerReflection)
      .serverReflectionInfo(each([{}]));
    await expect(answers[Symbol.asyncIterator]().next()).rejects.toMatchObject({ grpcStatus: 'UNIMPLEMENTED' });
  });
});

describe('health', () => {
  it('is told of the whole, and of each service', async () => {
    service = await testService((grpc) => grpc.add(Echo, echoes));
    const client = service.open().client(Health);
    expect(await client.check({ service: 'test.Echo' })).toMatchObject({ status: Serving.SERVING });
    await expect(client.check({ service: 'nothing' })).rejects.toMatchObject({ grpcStatus: 'NOT_FOUND' });
    const { statuses } = await client.list({});
    expect(statuses).toMatchObject({ '': { status: Serving.SERVING }, 'test.Echo': { status: Serving.SERVING } });
    const watched = client.watch({ service: 'nothing' });
    const { value } = await watched[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ status: Serving.SERVICE_UNKNOWN });
  });
});
