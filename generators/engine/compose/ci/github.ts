import type { CiService } from '../../model.ts';
import { type CiContext, comment, type PipelineJob, withHosts } from './model.ts';
import { toYaml } from '../yaml.ts';

/**
 * Tags of releases and not hashes, because a reader of the file cannot check a hash without a way to look it up.
 * Dependabot and Renovate both replace tags with hashes when they are configured to pin.
 */
const actions = {
  checkout: 'actions/checkout@v6.0.2',
  setupNode: 'actions/setup-node@v6.4.0',
  setupPnpm: 'pnpm/action-setup@v4.4.0',
};

/**
 * Prints the pipeline for GitHub Actions.
 * @param jobs the result of `pipeline`
 * @param context facts about the service
 * @returns the text of `.github/workflows/ci.yaml`
 */
export function githubWorkflow(jobs: readonly PipelineJob[], context: CiContext): string {
  return toYaml(
    {
      name: 'ci',
      on: { push: { branches: ['main'] }, pull_request: null },
      permissions: { contents: 'read' },
      concurrency: {
        group: '${{ github.workflow }}-${{ github.ref }}',
        // CI checks every commit of the main branch. For a pull request, it cancels all runs but the newest.
        'cancel-in-progress': "${{ github.event_name == 'pull_request' }}",
      },
      jobs: Object.fromEntries(jobs.map((job) => [job.id, githubJob(job, context)])),
    },
    comment,
  );
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
    steps: [...setup(job, context), { run: `${context.packageManager} run ${job.script}` }],
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

function setup({ history }: PipelineJob, { packageManager }: CiContext): Record<string, unknown>[] {
  const pnpm = packageManager === 'pnpm';
  return [
    // The checkout fetches tags only together with the whole history.
    { uses: actions.checkout, with: { ...(history && { 'fetch-depth': 0 }), 'persist-credentials': false } },
    // The `packageManager` field of package.json sets the version of pnpm.
    ...(pnpm ? [{ uses: actions.setupPnpm }] : []),
    { uses: actions.setupNode, with: { 'node-version-file': '.nvmrc', cache: packageManager } },
    { run: pnpm ? 'pnpm install --frozen-lockfile' : 'npm ci' },
  ];
}

/** Quotes an argument, because the runner splits `options` itself. Uses double quotes, and backslashes before special characters. */
function quote(argument: string): string {
  return `"${argument.replace(/["\\]/g, (special) => `\\${special}`)}"`;
}
