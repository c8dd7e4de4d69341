import { type DescFile, type MessageInitShape, createRegistry, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import {
  type ServerReflectionRequest,
  ServerReflection,
  type ServerReflectionResponseSchema,
} from '../../../api/gen/grpc/reflection/v1/reflection_pb.ts';
import { grpcCodes } from '../../../pkg/errors/index.ts';
import type { Grpc } from './server.ts';

type Response = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/**
 * Serves grpc.reflection.v1 (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md): tools learn the contract from
 * the service itself.
 * @param grpc the server; services that are added later are described too
 */
export function serveReflection(grpc: Grpc): void {
  grpc.add(
    ServerReflection,
    {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          yield { validHost: request.host, originalRequest: request, messageResponse: answer(request, grpc) };
        }
      },
    },
    { auth: 'public' },
  );
}

function answer({ messageRequest: asked }: ServerReflectionRequest, grpc: Grpc): Response {
  const files = filesOf(grpc);
  const registry = createRegistry(...files);
  switch (asked.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: { service: grpc.services.map(({ typeName: name }) => ({ name })) },
      };
    case 'fileByFilename':
      return descriptors(files.find(({ proto }) => proto.name === asked.value));
    case 'fileContainingSymbol':
      return descriptors(files.find((file) => declares(file, asked.value)));
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = asked.value;
      const extended = registry.getMessage(containingType);
      return descriptors(extended && registry.getExtensionFor(extended, extensionNumber)?.file);
    }
    case 'allExtensionNumbersOfType': {
      const found = registry.getMessage(asked.value);
      if (found === undefined) return missing;
      const extensionNumber = files
        .flatMap(({ extensions }) => extensions)
        .filter(({ extendee }) => extendee.typeName === asked.value)
        .map(({ number }) => number);
      return { case: 'allExtensionNumbersResponse', value: { baseTypeName: asked.value, extensionNumber } };
    }
    case undefined:
      return nothingAsked;
    default:
      return missing;
  }
}

const nothingAsked: Response = {
  case: 'errorResponse',
  value: { errorCode: grpcCodes.INVALID_ARGUMENT, errorMessage: 'Nothing is asked for.' },
};

const missing: Response = {
  case: 'errorResponse',
  value: { errorCode: grpcCodes.NOT_FOUND, errorMessage: 'There is no such thing.' },
};

/** The file and all that it imports, those first that others need. */
function descriptors(file: DescFile | undefined): Response {
  if (file === undefined) return missing;
  const needed = withImports([file]);
  const fileDescriptorProto = needed.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

function filesOf(grpc: Grpc): DescFile[] {
  return withImports(grpc.services.map(({ file }) => file));
}

function withImports(files: readonly DescFile[], found = new Set<DescFile>()): DescFile[] {
  for (const file of files) {
    if (found.has(file)) continue;
    withImports(file.dependencies, found);
    found.add(file);
  }
  return [...found];
}

/** A symbol is the full name of a service, a method, a message, a field, an enum or an extension. */
function declares(file: DescFile, symbol: string): boolean {
  const names = (typeName: string, members: readonly { readonly name: string }[] = []): boolean =>
    symbol === typeName || members.some(({ name }) => symbol === `${typeName}.${name}`);
  const inMessages = (messages: DescFile['messages']): boolean =>
    messages.some(
      ({ typeName, fields, oneofs, nestedMessages, nestedEnums, nestedExtensions }) =>
        names(typeName, [...fields, ...oneofs]) ||
        inMessages(nestedMessages) ||
        nestedEnums.some((each) => names(each.typeName, each.values)) ||
        nestedExtensions.some((each) => names(each.typeName)),
    );
  return (
    file.services.some(({ typeName, methods }) => names(typeName, methods)) ||
    inMessages(file.messages) ||
    file.enums.some(({ typeName, values }) => names(typeName, values)) ||
    file.extensions.some(({ typeName }) => names(typeName))
  );
}
