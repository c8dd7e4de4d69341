import { type Admin, createAdmin } from '../admin/module.ts';
import { type Metrics, openMetricsType } from '../metrics/module.ts';
import { join } from './exposition.ts';
import type { Supervisor } from './supervisor.ts';
import type { Worker } from './worker.ts';

/** What a worker answered; status 503 stands for no answer. */
interface Answer {
  readonly worker: Worker;
  readonly status: number;
  readonly text: string;
}

/**
 * The admin port of all workers: what is asked here is asked of each.
 * @param supervisor knows them
 * @param metrics those of this process
 * @param timeoutMs milliseconds that a worker may take to answer
 * @returns a server that does not listen yet
 */
export function clusterAdmin(supervisor: Supervisor, metrics: Metrics, timeoutMs: number): Admin {
  const admin = createAdmin();
  const askAll = (path: string, init?: RequestInit): Promise<Answer[]> =>
    Promise.all(supervisor.workers.map((worker) => ask(worker, path, timeoutMs, init)));

  admin.get('/livez', () => ({ status: 'ok' }));

  admin.get('/startupz', (_request, reply) => {
    const { phase } = supervisor;
    return reply.code(phase === 'starting' ? 503 : 200).send({ status: phase });
  });

  admin.get('/readyz', async (_request, reply) => {
    const answers = await askAll('/readyz');
    const { phase } = supervisor;
    // One that has crashed gets no connections; one that is there and not ready does.
    const healthy = answers.length > 0 && answers.every(({ status }) => status === 200);
    const status = phase === 'ready' && !healthy ? 'unhealthy' : phase;
    const workers = Object.fromEntries(answers.map(({ worker, text }) => [worker.slot, parse(text)]));
    return reply.code(status === 'ready' ? 200 : 503).send({ status, workers });
  });

  admin.get('/metrics', async ({ headers: { accept = '' } }, reply) => {
    const isOpen = accept.includes('application/openmetrics-text');
    const answers = await askAll('/metrics', { headers: { accept } });
    reply.type(isOpen ? openMetricsType : metrics.registry.contentType);
    return join([
      { worker: 'primary', text: await (isOpen ? metrics.openMetrics() : metrics.text()) },
      ...answers
        .filter(({ status }) => status === 200)
        .map(({ worker, text }) => ({ worker: String(worker.slot), text })),
    ]);
  });

  // The level of the log, and what else a worker can be asked and told: they are all alike.
  admin.route({
    method: ['GET', 'PUT', 'POST', 'DELETE'],
    url: '/*',
    async handler({ method, url, body }, reply) {
      const answers = await askAll(url, {
        method,
        ...(body !== undefined &&
          body !== null && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const worst = answers.toSorted((a, b) => b.status - a.status)[0];
      return reply
        .code(worst?.status ?? 503)
        .type('application/json')
        .send(worst?.text ?? '{}');
    },
  });
  return admin;
}

/**
 * @param worker to be asked
 * @param path on its admin port
 * @param timeoutMs milliseconds to wait
 * @param init method, headers and body, if not those of a plain GET
 * @returns its answer
 */
export async function ask(worker: Worker, path: string, timeoutMs: number, init: RequestInit = {}): Promise<Answer> {
  try {
    const response = await fetch(worker.admin + path, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    return { worker, status: response.status, text: await response.text() };
  } catch (error) {
    return { worker, status: 503, text: JSON.stringify({ error: String(error) }) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
