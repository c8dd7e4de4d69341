import type { Admin } from './server.ts';
import type { Lifecycle } from '../app/module.ts';

/**
 * Answers Kubernetes' three questions, each with 200 or 503 and a JSON body.
 * @param admin the server of the admin port
 * @param lifecycle phase and health of the service
 * @param healthTimeoutMs milliseconds that each module may take to tell its health
 */
export function probes(admin: Admin, lifecycle: Lifecycle, healthTimeoutMs: number): void {
  // Alive means that this answers at all: a restart cures neither a database that is down nor a long start.
  admin.get('/livez', () => ({ status: 'ok' }));

  admin.get('/startupz', (_request, reply) => {
    const { phase } = lifecycle;
    return reply.code(phase === 'starting' ? 503 : 200).send({ status: phase });
  });

  admin.get('/readyz', async (_request, reply) => {
    const modules = await lifecycle.health(healthTimeoutMs);
    const { phase } = lifecycle;
    const healthy = Object.values(modules).every((health) => health === 'ok');
    const status = phase === 'ready' && !healthy ? 'unhealthy' : phase;
    return reply.code(status === 'ready' ? 200 : 503).send({ status, modules });
  });
}
