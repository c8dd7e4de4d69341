import { badInput } from '../../errors.ts';
import type { CiContribution, CiJob, CiJobAddition, CiService } from '../../module.ts';

/** A job as every provider needs it: defaults filled in, all additions merged, names in stable order. */
export interface PipelineJob {
  readonly id: string;
  readonly summary: string;
  readonly script: string;
  readonly needs: readonly string[];
  readonly timeoutMinutes: number;
  readonly services: Readonly<Record<string, CiService>>;
  /** Values may hold `{<service>.host}`: see `withHosts`. */
  readonly env: Readonly<Record<string, string>>;
}

/** What the pipeline's files say about the service itself. */
export interface CiContext {
  readonly packageManager: 'npm' | 'pnpm';
  /** The exact version that production runs, 26.12.1 say. */
  readonly nodeVersion: string;
}

/** Something said about CI, and the id of the module that said it. */
interface Said<Value> {
  readonly module: string;
  readonly value: Value;
}

/** Words that GitLab does not take as a job's name. */
const reservedIds = new Set([
  'image',
  'services',
  'stages',
  'types',
  'variables',
  'cache',
  'include',
  'default',
  'workflow',
  'pages',
  'true',
  'false',
  'null',
  'nil',
  'spec',
]);
const names = {
  'job id': /^[a-z][a-z0-9-]*$/,
  'npm script': /^[a-z][a-z0-9:-]*$/,
  'service name': /^[a-z][a-z0-9-]*$/,
  'environment variable': /^[A-Z_][A-Z0-9_]*$/,
};
const hostPattern = /\{([a-z][a-z0-9-]*)\.host\}/g;
const defaultTimeoutMinutes = 15;

/**
 * Joins what modules say about CI into one pipeline. The order of the contributions does not show in it.
 * @param contributions module id → its jobs, and what it adds to jobs of others
 * @returns the jobs, each after those it needs, otherwise by id
 * @throws SlipwayError naming the modules, when two disagree or one speaks of a job or service that is not there
 */
export function pipeline(contributions: Readonly<Record<string, CiContribution>>): readonly PipelineJob[] {
  const jobs = new Map<string, Said<CiJob>>();
  const additions = new Map<string, Said<CiJobAddition>[]>();
  for (const [module, { jobs: own = [], additions: added = {} }] of sorted(contributions)) {
    for (const job of own) {
      checkName(module, 'job id', job.id);
      checkName(module, 'npm script', job.script);
      const former = jobs.get(job.id);
      if (former) throw badInput(`Modules ${former.module} and ${module} both define the CI job ${job.id}`);
      jobs.set(job.id, { module, value: job });
    }
    for (const [id, value] of sorted(added)) additions.set(id, [...(additions.get(id) ?? []), { module, value }]);
  }
  for (const [id, [first]] of additions) {
    if (first && !jobs.has(id))
      throw badInput(`Module ${first.module} adds to the CI job ${id}, which no module defines`);
  }
  const merged = [...jobs].map(([id, said]) => mergeJob(said, additions.get(id) ?? [], jobs));
  return inOrder(merged);
}

/**
 * @param env variables of a job
 * @param hostOf gives the host at which the job reaches a service
 * @returns the variables with every `{<service>.host}` filled in
 */
export function withHosts(
  env: Readonly<Record<string, string>>,
  hostOf: (service: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([key, value]) => [
      key,
      value.replace(hostPattern, (_, service: string) => hostOf(service)),
    ]),
  );
}

function mergeJob(
  { module, value: job }: Said<CiJob>,
  additions: readonly Said<CiJobAddition>[],
  jobs: ReadonlyMap<string, unknown>,
): PipelineJob {
  for (const need of job.needs ?? []) {
    if (!jobs.has(need))
      throw badInput(`The CI job ${job.id} of module ${module} needs ${need}, which no module defines`);
  }
  const services = mergeNamed(job.id, 'service name', additions, ({ services }) => services);
  const env = mergeNamed(job.id, 'environment variable', additions, ({ env: own }) => own);
  checkEnv(job.id, env, services);
  return {
    id: job.id,
    summary: job.summary,
    script: job.script,
    needs: [...new Set(job.needs)].toSorted(),
    timeoutMinutes: job.timeoutMinutes ?? defaultTimeoutMinutes,
    services: values(services),
    env: values(env),
  };
}

/** Merges one kind of named thing from all additions to a job; the same name twice must mean the same. */
function mergeNamed<Value>(
  job: string,
  kind: keyof typeof names,
  additions: readonly Said<CiJobAddition>[],
  pick: (addition: CiJobAddition) => Readonly<Record<string, Value>> | undefined,
): ReadonlyMap<string, Said<Value>> {
  const merged = new Map<string, Said<Value>>();
  for (const { module, value: addition } of additions) {
    for (const [name, value] of Object.entries(pick(addition) ?? {})) {
      checkName(module, kind, name);
      const former = merged.get(name);
      if (former && canonical(former.value) !== canonical(value)) {
        throw badInput(
          `Modules ${former.module} and ${module} define the ${kind} ${name} of the CI job ${job} differently`,
        );
      }
      merged.set(name, former ?? { module, value });
    }
  }
  return new Map(sorted(Object.fromEntries(merged)));
}

/** A value may name services of its own job only, and nothing that one provider would expand and the other would not. */
function checkEnv(job: string, env: ReadonlyMap<string, Said<string>>, services: ReadonlyMap<string, unknown>): void {
  for (const [name, { module, value }] of env) {
    if (value.includes('$')) {
      throw badInput(
        `Module ${module} sets ${name} of the CI job ${job} to a value with $, which providers expand differently`,
      );
    }
    for (const [, service = ''] of value.matchAll(hostPattern)) {
      if (!services.has(service)) {
        throw badInput(
          `Module ${module} sets ${name} of the CI job ${job} to the host of ${service}, which is no service of it`,
        );
      }
    }
  }
}

function checkName(module: string, kind: keyof typeof names, name: string): void {
  if (!names[kind].test(name) || (kind === 'job id' && reservedIds.has(name))) {
    throw badInput(
      `Module ${module} uses ${JSON.stringify(name)} as a ${kind} of CI`,
      `Use a name that matches ${names[kind].source} and is no word of the provider's own`,
    );
  }
}

/** Topological order (Kahn 1962); of the jobs that may come next, the first by id. */
function inOrder(jobs: readonly PipelineJob[]): readonly PipelineJob[] {
  const waiting = new Map(jobs.toSorted((a, b) => compare(a.id, b.id)).map((job) => [job.id, job]));
  const ordered: PipelineJob[] = [];
  while (waiting.size > 0) {
    const next = [...waiting.values()].find(({ needs }) => needs.every((need) => !waiting.has(need)));
    if (!next) throw badInput(`The CI jobs ${[...waiting.keys()].join(', ')} need one another in a circle`);
    waiting.delete(next.id);
    ordered.push(next);
  }
  return ordered;
}

function values<Value>(said: ReadonlyMap<string, Said<Value>>): Record<string, Value> {
  return Object.fromEntries([...said].map(([name, { value }]) => [name, value]));
}

/** Two values are the same when this is: JSON, but the order of keys does not show. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.fromEntries(sorted(part)) : part,
  );
}

function sorted<Value>(record: Readonly<Record<string, Value>> | object): [string, Value][] {
  return Object.entries(record).toSorted(([a], [b]) => compare(a, b));
}

/** By code unit: the same everywhere, whatever the locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
