/**
 * Builds the image `<name>:dev` with version, commit and date: `npm run image`. Arguments go to the builder, which is docker, or
 * what `CONTAINER_TOOL` names: `CONTAINER_TOOL=podman npm run image -- --tag registry.example/orders:1.2.3`.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { about } from '../internal/platform/app/about.ts';
import { buildInfo, lockfileOf, root } from './build.ts';

const { version, revision = '', date = '' } = buildInfo(root, process.env);
const told = { BUILD_VERSION: version, BUILD_REVISION: revision, BUILD_DATE: date };
const tool = process.env['CONTAINER_TOOL'] ?? 'docker';
const { error, status } = spawnSync(
  tool,
  [
    'build',
    `--file=${path.join(root, 'deploy/docker/Dockerfile')}`,
    `--tag=${about.name}:dev`,
    ...Object.entries(told).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...process.argv.slice(2),
    // The folder with the lockfile: the service, or the workspace that it is a member of.
    path.dirname(lockfileOf(root) ?? path.join(root, 'package.json')),
  ],
  { cwd: root, stdio: 'inherit' },
);
if (error) process.stderr.write(`${tool} cannot be run (${error.message}); CONTAINER_TOOL names another builder\n`);
process.exitCode = status ?? 1;
