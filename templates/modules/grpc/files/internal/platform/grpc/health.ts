import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as Serving,
  Health as contract,
} from '../../../api/gen/grpc/health/v1/health_pb.ts';
import { background, runWith } from '../../../pkg/context/index.ts';
import { notFound } from '../../../pkg/errors/index.ts';
import type { Lifecycle } from '../app/module.ts';
import type { Call } from './call.ts';
import type { Implementation } from './method.ts';
import type { Grpc } from './server.ts';

/** Milliseconds that each module may take to tell its health. */
const healthTimeoutMs = 2000;
/** Milliseconds between two looks on behalf of those who watch. */
const watchEvery = 1000;
/** Milliseconds for which what was seen is told to all who ask. */
const seenForMs = 500;

/**
 * Serves grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): the service as a whole, by the empty
 * name, and each of its services are as ready as `/readyz` says.
 * @param grpc the server
 * @param lifecycle phase and health of the service
 */
export function serveHealth(grpc: Grpc, lifecycle: Lifecycle): void {
  const statusOf = statusFor(lifecycle);
  const implementation: Implementation<typeof HealthService> = {
    async check({ service }) {
      if (!isKnown(grpc, service)) throw notFound('service', service);
      return { status: await statusOf() };
    },
    async list() {
      const status = await statusOf();
      const names = ['', ...grpc.services.map(({ typeName }) => typeName)];
      return { statuses: Object.fromEntries(names.map((name) => [name, { status }])) };
    },
    async *watch({ service }, call) {
      let told: Serving | undefined;
      for (;;) {
        const status = isKnown(grpc, service) ? await statusOf() : Serving.SERVICE_UNKNOWN;
        if (status !== told) yield { status };
        told = status;
        // Whoever watches on would keep the service from stopping.
        if (call.stopping.aborted) return;
        await pause(call);
      }
    },
  };
  grpc.add(contract, implementation, { auth: 'public', methods: { check: { isProbe: true } } });
}

function isKnown(grpc: Grpc, service: string): boolean {
  return service === '' || grpc.services.some(({ typeName }) => typeName === service);
}

/**
 * @param lifecycle phase and health of the service
 * @returns tells whether it serves; its modules are looked at once for all who ask at about the same time
 */
function statusFor(lifecycle: Lifecycle): () => Promise<Serving> {
  let seen: Promise<Serving> | undefined;
  const forget = (): void => {
    seen = undefined;
  };
  return async () => {
    if (lifecycle.phase !== 'ready') return Serving.NOT_SERVING;
    // Others wait for it as well: it does not end with the call that asked first.
    seen ??= runWith(background, look, lifecycle).finally(() => setTimeout(forget, seenForMs).unref());
    return seen;
  };
}

async function look(lifecycle: Lifecycle): Promise<Serving> {
  const modules = await lifecycle.health(healthTimeoutMs);
  return Object.values(modules).every((health) => health === 'ok') ? Serving.SERVING : Serving.NOT_SERVING;
}

/** Ends early when the service begins to stop; throws when the call is over. */
async function pause(call: Call): Promise<void> {
  const signal = AbortSignal.any([call.signal, call.stopping]);
  await sleep(watchEvery, undefined, { signal }).catch(() => undefined);
  call.throwIfEnded();
}
