import type { CiService } from '../../model.ts';
import { type CiContext, comment, type PipelineJob, withHosts } from './model.ts';
import { toYaml } from '../yaml.ts';

/**
 * Tags of releases and not hashes, because a reader of the file cannot check a hash without a way to look it up.
 * Dependabot and Renovate both replace tags with hashes when they are configured to pin.
 */
const actions = {
  cache: 'actions/cache@v5.0.5',
  checkout: 'actions/checkout@v6.0.2',
  setupNode: 'actions/setup-node@v6.4.0',
};

/** The workflow in a service. GitHub reads workflows at the root of a repository only: see `workflowInRepository`. */
export const workflowPath = '.github/workflows/ci.yaml';

/**
 * @param service name of a service in a repository with other projects
 * @returns the path of its workflow from the root of the repository
 */
export function workflowInRepository(service: string): string {
  return `.github/workflows/${service}.yaml`;
}

/**
 * Prints the pipeline for GitHub Actions.
 * @param jobs the result of `pipeline`
 * @param context facts about the service
 * @returns the text of `.github/workflows/ci.yaml`
 */
export function githubWorkflow(jobs: readonly PipelineJob[], context: CiContext): string {
  const { place, service } = context;
  const filter = place.prefix === '' ? undefined : { paths: pathsOf(context) };
  return toYaml(
    {
      name: filter === undefined ? 'ci' : service,
      on: { push: { branches: ['main'], ...filter }, pull_request: filter ?? null },
      permissions: { contents: 'read' },
      concurrency: {
        group: '${{ github.workflow }}-${{ github.ref }}',
        // CI checks every commit of the main branch. For a pull request, it cancels all runs but the newest.
        'cancel-in-progress': "${{ github.event_name == 'pull_request' }}",
      },
      ...(filter && { defaults: { run: { 'working-directory': place.prefix.slice(0, -1) } } }),
      jobs: Object.fromEntries(jobs.map((job) => [job.id, githubJob(job, context)])),
    },
    comment,
  );
}

/** The files of a repository on which the result of the workflow depends. */
function pathsOf({ place, service, packageManager }: CiContext): string[] {
  const shared = ['package.json', packageManager.lockfile].map((name) => place.lockfile + name);
  return [`${place.prefix}**`, ...(place.inWorkspace ? shared : []), workflowInRepository(service)];
}

function githubJob(job: PipelineJob, context: CiContext): Record<string, unknown> {
  const services = Object.entries(job.services);
  const env = withHosts(job.env, () => 'localhost');
  return {
    name: job.summary,
    'runs-on': 'ubuntu-latest',
    'timeout-minutes': job.timeoutMinutes,
    ...(job.needs.length > 0 && { needs: job.needs }),
    ...(services.length > 0 && {
      services: Object.fromEntries(services.map(([name, service]) => [name, githubService(service)])),
    }),
    ...(Object.keys(env).length > 0 && { env }),
    steps: [...setup(job, context), { run: `${context.packageManager.run} ${job.script}` }],
  };
}

function githubService({ image, port, env, healthCommand }: CiService): Record<string, unknown> {
  return {
    image,
    ...(Object.keys(env).length > 0 && { env }),
    ports: [`${port}:${port}`],
    options: `--health-cmd ${quote(healthCommand)} --health-interval 5s --health-timeout 5s --health-retries 12`,
  };
}

function setup({ history }: PipelineJob, { packageManager, place }: CiContext): Record<string, unknown>[] {
  const { name, lockfile, setUp, ci, github } = packageManager;
  const isBelow = place.prefix !== '';
  const file = place.lockfile + lockfile;
  const own = github.cache !== undefined;
  return [
    // The checkout fetches tags only together with the whole history.
    { uses: actions.checkout, with: { ...(history && { 'fetch-depth': 0 }), 'persist-credentials': false } },
    // The `packageManager` field of package.json sets the version of the package manager.
    ...(github.action === undefined
      ? []
      : [{ uses: github.action, ...(isBelow && { with: { package_json_file: `${place.prefix}package.json` } }) }]),
    {
      uses: actions.setupNode,
      with: {
        'node-version-file': `${place.prefix}.nvmrc`,
        ...(!own && { cache: name, ...(isBelow && { 'cache-dependency-path': file }) }),
      },
    },
    ...(own
      ? [
          { run: setUp },
          {
            uses: actions.cache,
            with: { path: github.cache, key: `\${{ runner.os }}-${name}-\${{ hashFiles('${file}') }}` },
          },
        ]
      : []),
    { run: ci },
  ];
}

/** Quotes an argument, because the runner splits `options` itself. Uses double quotes, and backslashes before special characters. */
function quote(argument: string): string {
  return `"${argument.replace(/["\\]/g, (special) => `\\${special}`)}"`;
}
