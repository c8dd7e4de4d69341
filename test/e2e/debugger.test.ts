import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { packageManagers } from '../../generators/engine/model.ts';
import { stopAt } from '../helpers/debugger.ts';
import { freePort } from '../helpers/liveService.ts';

const relativeFile = 'internal/items/routes.test.ts';
const env = { PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter), NODE_OPTIONS: '' };

describe.each(packageManagers)('the debugger of an editor, in a service that uses %s', (packageManager) => {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'slipway-debugger-')));
  const service = path.join(folder, 'orders');

  beforeAll(async () => {
    const create = path.join(inject('installed'), 'node_modules', 'create-slipway', 'dist', 'create-slipway.cjs');
    const flags = ['--yes', '--no-git', `--package-manager=${packageManager}`];
    await execa('node', [create, 'orders', ...flags], { cwd: folder, env });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(['Server, restarted when a file changes', 'Tests of this file'])(
    'stops at a line of a source file: %s',
    async (name) => {
      const launch = JSON.parse(readFileSync(path.join(service, '.vscode/launch.json'), 'utf8'));
      const { runtimeExecutable, runtimeArgs, ...rest } = launch.configurations.find(
        (configuration: { name: string }) => configuration.name === name,
      );
      expect(rest).toMatchObject({ type: 'node', request: 'launch' });

      const file = path.join(service, 'internal/items/service.ts');
      const line = readFileSync(file, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('repository.list('));
      const port = await freePort();
      const args = runtimeArgs.map((argument: string) => argument.replace('${relativeFile}', relativeFile));
      const debuggee = { command: runtimeExecutable, args, cwd: service, file, line };
      const sources = await stopAt({ ...debuggee, env: { ...env, PORT: String(port), ADMIN_PORT: '0' } }, () => {
        fetch(`http://127.0.0.1:${port}/items`).catch(() => undefined);
      });
      expect(sources).toEqual([file]);
    },
  );
});
