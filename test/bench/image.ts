import { readFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import {
  buildFlags,
  filesOf,
  type ImageFile,
  missingTools,
  ownStore,
  provideNodeImage,
  standInOf,
} from '../helpers/containers.ts';
import type { Measurement } from './measurement.ts';
import { runProgram } from './sample.ts';
import { slipway } from './services.ts';
import { table } from './table.ts';

const name = 'localhost/orders:dev';

/** What is pulled wherever the service runs. */
export const image: Measurement = {
  title: 'The image of a fresh service',
  async lacks() {
    return process.platform === 'linux' ? missingTools() : ['Linux'];
  },
  async measure({ service, serviceEnv, hostEnv }) {
    const folder = service(slipway);
    const env = { ...serviceEnv, ...ownStore(), CONTAINER_TOOL: 'buildah' };
    const dockerfile = readFileSync(path.join(folder, 'deploy/docker/Dockerfile'), 'utf8');
    const [, from = ''] = /^FROM (\S+)/m.exec(dockerfile) ?? [];
    const base = await provideNodeImage(from, await standInOf(path.dirname(process.execPath), hostEnv), env);
    try {
      runProgram(['npm', 'run', 'image', '--', ...buildFlags], folder, env);
      return [
        'The bytes of its files, not compressed. The templates of the others bring no Dockerfile.',
        sizes(await filesOf(name, env)),
      ].join('\n\n');
    } finally {
      await execa('podman', ['--runtime=runc', 'rmi', '--force', name, base], { env });
    }
  },
};

/** The first whose path a file's begins with has it. */
const parts = [
  { part: 'Node’s executable', path: 'usr/local/bin/node' },
  { part: '`node_modules`', path: 'service/node_modules/' },
  { part: 'the service', path: 'service/' },
  { part: 'the libraries of Node, users, records of packages', path: '' },
];

function sizes(files: readonly ImageFile[]): string {
  const ownerOf = (file: ImageFile) => parts.find(({ path: beginning }) => file.name.startsWith(beginning));
  const rows = parts.map((part) => [part.part, megabytes(files.filter((file) => ownerOf(file) === part))]);
  return table(['part', 'MB'], [...rows, ['all', megabytes(files)]]);
}

function megabytes(files: readonly ImageFile[]): string {
  return (files.reduce((total, { bytes }) => total + bytes, 0) / 1e6).toFixed(1);
}
