import type { CatalogueModule, CiJob, CiService } from '../../model.ts';
import type { PackageManagerDefinition } from '../../packageManagers/definition.ts';
import { badInput } from '../../errors.ts';
import type { Place } from '../../manifest.ts';
import { union } from '../union.ts';

/** A job with its defaults and the additions of all modules. The names are in a stable order. Every provider prints it. */
export interface PipelineJob extends Required<CiJob> {
  readonly services: Readonly<Record<string, CiService>>;
  /** Values may contain `{<service>.host}`. See `withHosts`. */
  readonly env: Readonly<Record<string, string>>;
}

/** Facts about the service for the pipeline's files. */
export interface CiContext {
  readonly packageManager: PackageManagerDefinition;
  /** The exact version that production uses: `26.12.1`. It is for the tags of images. Other places read `.nvmrc`. */
  readonly nodeVersion: string;
  readonly place: Place;
  /** Name of the service. */
  readonly service: string;
}

/** The comment at the top of every provider's file. */
export const comment = [
  'Each job is one npm script, so that it can be run anywhere.',
  'The modules in slipway.json decide which jobs there are, and what stands beside them.',
];

const names = {
  job: /^[a-z][a-z0-9-]*$/,
  script: /^[a-z][a-z0-9:-]*$/,
  service: /^[a-z][a-z0-9-]*$/,
  variable: /^[A-Z_][A-Z0-9_]*$/,
};
/** Words that match `names.job`. GitLab does not accept them as job names. */
const gitlabWords = new Set(
  'cache default false image include nil pages services spec stages true types variables workflow'.split(' '),
);
const hostPattern = /\{([a-z][a-z0-9-]*)\.host\}/g;
const defaultTimeoutMinutes = 15;

/**
 * Joins the CI contributions of modules into one pipeline. The order of the modules has no effect.
 * @param modules the base and the service's modules
 * @returns the jobs; each comes after the jobs that it needs, otherwise the order is by id
 * @throws SlipwayError that names the modules, when two disagree or when one refers to a job or service that does not exist
 */
export function pipeline(modules: readonly CatalogueModule[]): readonly PipelineJob[] {
  const owners = new Map<string, string>();
  for (const { id: module, ci } of modules) {
    for (const { id } of ci?.jobs ?? []) {
      const other = owners.get(id);
      if (other !== undefined) throw badInput(`modules "${other}" and "${module}" both define the CI job "${id}"`);
      owners.set(id, module);
    }
  }
  for (const { id: module, ci } of modules) {
    const needed = ci?.jobs?.flatMap(({ needs = [] }) => needs) ?? [];
    const unknown = [...needed, ...Object.keys(ci?.additions ?? {})].find((id) => !owners.has(id));
    if (unknown !== undefined)
      throw badInput(`module "${module}" names the CI job "${unknown}", which no module defines`);
  }
  return inOrder(modules.flatMap(({ ci }) => ci?.jobs ?? []).map((job) => complete(job, modules)));
}

/**
 * @param env variables of a job
 * @param hostOf returns the host name at which the job reaches a service
 * @returns the variables, with each `{<service>.host}` replaced
 */
export function withHosts(
  env: Readonly<Record<string, string>>,
  hostOf: (service: string) => string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      value.replace(hostPattern, (_, service: string) => hostOf(service)),
    ]),
  );
}

function complete(job: CiJob, modules: readonly CatalogueModule[]): PipelineJob {
  const services = union(
    `the service of the CI job "${job.id}"`,
    modules,
    ({ ci }) => ci?.additions?.[job.id]?.services,
  );
  const env = union(`the environment of the CI job "${job.id}":`, modules, ({ ci }) => ci?.additions?.[job.id]?.env);
  checkNames(job, services, env);
  for (const [name, value] of Object.entries(env)) checkValue(job, name, value, services);
  return {
    id: job.id,
    summary: job.summary,
    script: job.script,
    history: job.history ?? false,
    needs: [...new Set(job.needs)].toSorted(),
    timeoutMinutes: job.timeoutMinutes ?? defaultTimeoutMinutes,
    services,
    env,
  };
}

/** Rejects a name that needs quotes or has a special meaning in any provider's file or in a shell. */
function checkNames(job: CiJob, services: PipelineJob['services'], env: PipelineJob['env']): void {
  const used = { job: [job.id], script: [job.script], service: Object.keys(services), variable: Object.keys(env) };
  for (const kind of ['job', 'script', 'service', 'variable'] as const) {
    const bad = used[kind].find((name) => !names[kind].test(name) || (kind === 'job' && gitlabWords.has(name)));
    if (bad !== undefined)
      throw badInput(`the CI job "${job.id}" has a ${kind} with the name "${bad}"`, 'choose another name');
  }
}

/** Rejects a value that refers to services of other jobs, or that one provider would expand and another would not. */
function checkValue(job: CiJob, name: string, value: string, services: PipelineJob['services']): void {
  if (value.includes('$'))
    throw badInput(`the CI job "${job.id}" sets ${name} to a value with $, which providers expand differently`);
  const stranger = [...value.matchAll(hostPattern)].find(([, service = '']) => !Object.hasOwn(services, service));
  if (stranger) throw badInput(`the CI job "${job.id}" sets ${name} to ${stranger[0]}, which is none of its services`);
}

/** Sorts topologically (Kahn 1962). When several jobs may come next, the order is by id. */
function inOrder(jobs: readonly PipelineJob[]): readonly PipelineJob[] {
  const waiting = new Map(jobs.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((job) => [job.id, job]));
  const ordered: PipelineJob[] = [];
  while (waiting.size > 0) {
    const next = [...waiting.values()].find(({ needs }) => needs.every((need) => !waiting.has(need)));
    if (!next) throw badInput(`the CI jobs ${[...waiting.keys()].join(', ')} wait for one another in a circle`);
    waiting.delete(next.id);
    ordered.push(next);
  }
  return ordered;
}
