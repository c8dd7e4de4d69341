import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import type { Grpc } from './server.ts';

/**
 * Serves grpc.reflection by the official package: tools learn the contract from the service itself.
 * @param grpc the server, once all services were added
 */
export function serveReflection(grpc: Grpc): void {
  const files = new Map<string, Buffer>();
  const add = ({ proto, dependencies }: DescFile): void => {
    if (files.has(proto.name)) return;
    files.set(proto.name, Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
    for (const each of dependencies) add(each);
  };
  for (const { file } of grpc.services) add(file);
  const reflection = new ReflectionService({
    contract: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos: [...files.values()] },
  });
  reflection.addToServer({
    addService(definition, { ServerReflectionInfo: answer }) {
      const throttled = (stream: ServerDuplexStream<unknown, unknown>): void => {
        Reflect.apply(answer ?? ignored, reflection, [stream]);
        // The package reads on when its client does not: its answers would pile up.
        stream.on('data', () => {
          if (!stream.writableNeedDrain) return;
          stream.pause();
          stream.once('drain', () => stream.resume());
        });
      };
      grpc.addDefinition(definition, { ServerReflectionInfo: throttled }, { auth: 'public' });
    },
  });
}

function ignored(): void {}
