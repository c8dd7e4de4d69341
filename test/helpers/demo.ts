/** `npm run demo [-- folder]`: creates a service beside this repository, installs, builds and starts it, as a user would. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import manifest from '../../package.json' with { type: 'json' };

const repository = path.resolve(import.meta.dirname, '../..');
const service = path.resolve(repository, process.argv[2] ?? '../slipway-demo-orders');
/** The Node that runs npm is the host's. This repository has a newer one in `node_modules`, which users do not have. */
const hostNode = process.env['npm_node_execpath'] ?? process.execPath;
const npm = process.env['npm_execpath'];
const folders = [path.dirname(hostNode), ...(process.env['PATH'] ?? '').split(path.delimiter)];
const env = {
  ...process.env,
  PATH: folders.filter((folder) => !folder.includes('node_modules')).join(path.delimiter),
};

if (npm === undefined) throw new Error('start this with: npm run demo');
if (!existsSync(path.join(service, 'slipway.json'))) {
  run(path.join(repository, manifest.bin['create-slipway']), service, '--yes');
}
if (!existsSync(path.join(service, 'node_modules'))) run(npm, 'install');
run(npm, 'run', 'build');

const started = spawn(hostNode, [npm, 'start'], { cwd: service, env, stdio: 'inherit' });
// A terminal sends Ctrl+C to the service as well. The service drains, and this process ends after it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => started.kill('SIGTERM'));
started.on('exit', (code) => {
  process.exitCode = code ?? 1;
});

/** Ends this process with the same exit code when the script fails. */
function run(script: string, ...args: string[]): void {
  const cwd = existsSync(service) ? service : repository;
  const { status } = spawnSync(hostNode, [script, ...args], { cwd, env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
