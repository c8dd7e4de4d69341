import type { CiService } from '../../model.ts';
import { type CiContext, comment, type PipelineJob, withHosts } from './model.ts';
import { toYaml } from '../yaml.ts';

/**
 * Prints the pipeline for GitLab CI.
 * @param jobs the result of `pipeline`
 * @param context facts about the service
 * @returns the text of `.gitlab-ci.yml`
 */
export function gitlabPipeline(jobs: readonly PipelineJob[], context: CiContext): string {
  return toYaml(
    {
      workflow: {
        name: 'ci',
        // Without these rules, a branch with a merge request runs twice.
        rules: [
          // In a repository with other projects, the pipeline at the root starts this one.
          ...(context.place.prefix === '' ? [] : [{ if: '$CI_PIPELINE_SOURCE == "parent_pipeline"' }]),
          { if: '$CI_PIPELINE_SOURCE == "merge_request_event"' },
          { if: '$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH' },
        ],
      },
      stages: ['test'],
      default: {
        image: `node:${context.nodeVersion}-trixie`,
        interruptible: true,
        ...install(context),
      },
      ...Object.fromEntries(jobs.map((job) => [job.id, gitlabJob(job, context)])),
    },
    comment,
  );
}

function gitlabJob(job: PipelineJob, { packageManager }: CiContext): Record<string, unknown> {
  const services = Object.entries(job.services);
  const variables = { ...(job.history && { GIT_DEPTH: '0' }), ...withHosts(job.env, (service) => service) };
  return {
    stage: 'test',
    ...(job.needs.length > 0 && { needs: job.needs }),
    timeout: `${job.timeoutMinutes} minutes`,
    ...(services.length > 0 && { services: services.map(([name, service]) => gitlabService(name, service)) }),
    ...(Object.keys(variables).length > 0 && { variables }),
    script: [`${packageManager.run} ${job.script}`],
  };
}

function gitlabService(alias: string, { image, port, env }: CiService): Record<string, unknown> {
  // The image may expose several ports. The runner waits for this one.
  return { name: image, alias, variables: { ...env, HEALTHCHECK_TCP_PORT: String(port) } };
}

function install({ packageManager, place: { prefix, lockfile } }: CiContext): Record<string, unknown> {
  const { setUp, gitlab } = packageManager;
  return {
    cache: { key: { files: [lockfile + packageManager.lockfile] }, paths: [prefix + gitlab.cache] },
    before_script: [
      ...(prefix === '' ? [] : [`cd ${prefix.slice(0, -1)}`]),
      // Node's image contains npm only.
      ...(setUp === '' ? [] : [setUp]),
      gitlab.install,
    ],
  };
}
