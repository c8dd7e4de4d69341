import type { Writable } from 'node:stream';
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import type { Lifecycle } from '../app/module.ts';
import type { Grpc } from './server.ts';

/** Milliseconds that the health check of each module may take. */
const healthTimeoutMs = 2000;

/**
 * Serves grpc.health.v1 by the official package. The service as a whole (the empty name) and each of its services have the state of
 * `/readyz`.
 * @param grpc the server, after all services were added
 * @param lifecycle phase and health of the service
 * @param stopping aborts when the service begins to stop
 */
export function serveHealth(grpc: Grpc, lifecycle: Lifecycle, stopping: AbortSignal): void {
  const health = new HealthImplementation();
  const names = ['', ...grpc.services.map(({ typeName }) => typeName)];
  const watchers = new Set<Writable>();
  let last: ServingStatus | undefined;
  const set = (status: ServingStatus): void => {
    if (status === last) return;
    last = status;
    for (const name of names) health.setStatus(name, status);
  };
  const check = async (): Promise<void> => {
    const isReady = lifecycle.phase === 'ready';
    const modules = isReady ? Object.values(await lifecycle.health(healthTimeoutMs)) : [{ error: 'not ready' }];
    if (stopping.aborted) return;
    set(modules.every((each) => typeof each === 'string') ? 'SERVING' : 'NOT_SERVING');
    setTimeout(() => void check(), isReady ? 1000 : 20).unref();
  };
  stopping.addEventListener('abort', () => {
    set('NOT_SERVING');
    // A client that continues to watch would delay the stop.
    for (const stream of watchers) stream.end();
  });
  void check();
  health.addToServer({
    addService(definition, { watch, ...others }) {
      const watchUntilStop = (stream: Writable): void => {
        if (watch) Reflect.apply(watch, health, [stream]);
        watchers.add(stream);
        stream.once('close', () => watchers.delete(stream));
        if (stopping.aborted) stream.end();
      };
      grpc.addDefinition(definition, { ...others, watch: watchUntilStop }, () => 'public');
    },
  });
}

/**
 * Serves grpc.reflection by the official package: tools such as grpcurl read the contract from the service.
 * @param grpc the server, after all services were added
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
      const withBackpressure = (stream: ServerDuplexStream<unknown, unknown>): void => {
        if (answer) Reflect.apply(answer, reflection, [stream]);
        // The package reads requests while its client does not read the answers, which would fill the memory.
        stream.on('data', () => {
          if (!stream.writableNeedDrain) return;
          stream.pause();
          stream.once('drain', () => stream.resume());
        });
      };
      grpc.addDefinition(definition, { ServerReflectionInfo: withBackpressure }, () => 'public');
    },
  });
}
