import type { Writable } from 'node:stream';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import type { Lifecycle } from '../app/module.ts';
import type { Grpc } from './server.ts';

/** Milliseconds that each module may take to tell its health. */
const healthTimeoutMs = 2000;
/** Milliseconds between two looks: once the service is ready, and before. */
const lookEvery = { ready: 1000, starting: 20 };

/**
 * Serves grpc.health.v1 by the official package: the service as a whole, by the empty name, and each of its services are as ready
 * as `/readyz` says.
 * @param grpc the server, once all services were added
 * @param lifecycle phase and health of the service
 * @param stopping aborts when the service begins to stop
 */
export function serveHealth(grpc: Grpc, lifecycle: Lifecycle, stopping: AbortSignal): void {
  const health = new HealthImplementation();
  const names = ['', ...grpc.services.map(({ typeName }) => typeName)];
  const watching = new Set<Writable>();
  let told: ServingStatus | undefined;
  const tell = (status: ServingStatus): void => {
    if (status === told) return;
    told = status;
    for (const name of names) health.setStatus(name, status);
  };
  const look = async (): Promise<void> => {
    const isReady = lifecycle.phase === 'ready';
    const modules = isReady ? Object.values(await lifecycle.health(healthTimeoutMs)) : ['not ready'];
    if (stopping.aborted) return;
    tell(modules.every((each) => each === 'ok') ? 'SERVING' : 'NOT_SERVING');
    setTimeout(() => void look(), isReady ? lookEvery.ready : lookEvery.starting).unref();
  };
  stopping.addEventListener('abort', () => {
    tell('NOT_SERVING');
    // A client that watches on would keep the service from stopping.
    for (const stream of watching) stream.end();
  });
  void look();
  health.addToServer({
    addService(definition, { watch, ...others }) {
      const watched = (stream: Writable): void => {
        Reflect.apply(watch ?? ignored, health, [stream]);
        watching.add(stream);
        stream.once('close', () => watching.delete(stream));
        if (stopping.aborted) stream.end();
      };
      grpc.addDefinition(
        definition,
        { ...others, watch: watched },
        { auth: 'public', methods: { Check: { isProbe: true } } },
      );
    },
  });
}

function ignored(): void {}
