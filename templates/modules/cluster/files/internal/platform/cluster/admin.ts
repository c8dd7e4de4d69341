import type { Static } from 'typebox';
import type { config } from '../admin/config.ts';
import { type Admin, createAdmin, guardChanges } from '../admin/module.ts';
import { type Metrics, openMetricsType } from '../metrics/module.ts';
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
    const workers = Object.fromEntries(answers.map(({ worker, text }) => [worker.slot, parse(text)]));
    return reply.code(status === 'ready' ? 200 : 503).send({ status, workers });
  });

  admin.get('/metrics', async ({ headers: { accept = '' } }, reply) => {
    const isOpen = accept.includes('application/openmetrics-text');
    const answers = (await askAll('/metrics', { headers: { accept } })).filter(({ status }) => status === 200);
    reply.type(isOpen ? openMetricsType : metrics.registry.contentType);
    return joinMetrics([
      { worker: 'primary', text: await (isOpen ? metrics.openMetrics() : metrics.text()) },
      ...answers.map(({ worker, text }) => ({ worker: String(worker.slot), text })),
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Joins the metrics of several processes: each sample keeps its value and gets a label `worker`. Nothing is added up, since a sum is wrong for
 * many metrics.
 * @param expositions of all processes, in the format of Prometheus or of OpenMetrics
 * @returns one text in that format
 */
export function joinMetrics(expositions: readonly { readonly worker: string; readonly text: string }[]): string {
  // Lines by metric: HELP, TYPE and UNIT once, then the samples of all processes.
  const families = new Map<string, string[]>();
  let ending = '';
  for (const { worker, text } of expositions) {
    let family: string[] = [];
    let isKnown = false;
    for (const line of text.split('\n')) {
      const name = /^# HELP (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        isKnown = families.has(name);
        family = families.get(name) ?? [];
        families.set(name, family);
      }
      if (line === '# EOF') ending = '# EOF\n';
      else if (line.startsWith('#')) family.push(...(isKnown ? [] : [line]));
      else if (line !== '') family.push(labelled(line, worker));
    }
  }
  return `${[...families.values()].flat().join('\n')}\n${ending}`;
}

function labelled(sample: string, worker: string): string {
  const label = `worker="${worker}"`;
  return sample.replace(/^[^{\s]+\{?/, (name) => (name.endsWith('{') ? `${name}${label},` : `${name}{${label}}`));
}
