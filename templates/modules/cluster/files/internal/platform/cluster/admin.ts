import type { Static } from 'typebox';
import type { config } from '../admin/config.ts';
import { type Admin, createAdmin, guardChanges } from '../admin/module.ts';
import type { Metrics } from '../metrics/module.ts';
import type { Supervisor, Worker } from './supervisor.ts';

/** The answer of a worker; status 503 stands for no answer. */
interface Answer {
  readonly worker: Worker;
  readonly status: number;
  readonly text: string;
}

/**
 * The admin port of all workers: each request is sent to every worker.
 * @param supervisor knows the workers
 * @param metrics of this process
 * @param settings token for changes, and the time that a worker may take to answer
 * @returns a server that does not listen yet
 */
export function clusterAdmin(supervisor: Supervisor, metrics: Metrics, settings: Static<typeof config>): Admin {
  const timeoutMs = settings.HEALTH_TIMEOUT_MS;
  const admin = createAdmin();
  // Workers see requests of this process only, which are local.
  guardChanges(admin, settings.ADMIN_TOKEN);
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
    // A crashed worker gets no connections, but a running one gets them also when it is not ready.
    const healthy = answers.length > 0 && answers.every(({ status }) => status === 200);
    const status = phase === 'ready' && !healthy ? 'unhealthy' : phase;
    const workers = Object.fromEntries(answers.map(({ worker, text }) => [worker.id, JSON.parse(text)]));
    return reply.code(status === 'ready' ? 200 : 503).send({ status, workers });
  });

  admin.get('/metrics', async (_request, reply) => {
    const answers = (await askAll('/metrics')).filter(({ status }) => status === 200);
    reply.type(metrics.registry.contentType);
    return joinMetrics([
      { worker: 'primary', text: await metrics.text() },
      ...answers.map(({ worker, text }) => ({ worker: String(worker.id), text })),
    ]);
  });

  // The log level, and all other paths. All workers are alike, so the worst answer stands for all.
  admin.route({
    method: ['GET', 'PUT', 'POST', 'DELETE'],
    url: '/*',
    async handler({ method, url, body }, reply) {
      const sent = body !== undefined &&
        body !== null && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answers = await askAll(url, { method, ...sent });
      const { status = 503, text = '{}' } = answers.toSorted((a, b) => b.status - a.status)[0] ?? {};
      return reply.code(status).type('application/json').send(text);
    },
  });
  return admin;
}

/**
 * @param worker that is asked
 * @param path on its admin port
 * @param timeoutMs milliseconds to wait
 * @param init method, headers and body; by default a GET
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

/**
 * Joins the metrics of several processes: each sample keeps its value and gets a label `worker`. Nothing is added up, since a sum is wrong for
 * many metrics.
 * @param expositions of all processes, in the format of Prometheus
 * @returns one text in that format
 */
export function joinMetrics(expositions: readonly { readonly worker: string; readonly text: string }[]): string {
  // Samples by HELP and TYPE of their metric, which are the same in all processes.
  const families = new Map<string, string[]>();
  for (const { worker, text } of expositions) {
    for (const block of text.split(/^(?=# HELP )/m)) {
      const lines = block.split('\n').filter((line) => line !== '');
      const head = lines.filter((line) => line.startsWith('#')).join('\n');
      const samples = lines.filter((line) => !line.startsWith('#')).map((line) => labelled(line, worker));
      families.set(head, [...(families.get(head) ?? []), ...samples]);
    }
  }
  return `${[...families].flatMap(([head, samples]) => [head, ...samples]).join('\n')}\n`;
}

function labelled(sample: string, worker: string): string {
  const label = `worker="${worker}"`;
  return sample.replace(/^[^{\s]+\{?/, (name) => (name.endsWith('{') ? `${name}${label},` : `${name}{${label}}`));
}
