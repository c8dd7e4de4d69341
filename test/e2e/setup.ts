import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import type { TestProject } from 'vitest/node';
import { packageManagerDefinitions } from '../../generators/engine/packageManagers/index.ts';
import { packageManagers } from '../../templates/catalogue.ts';

const root = path.resolve(import.meta.dirname, '../..');

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the packed tarball, installed as a user would. */
    readonly installed: string;
    /** Folder of a `node` that is new enough for services. */
    readonly newNode: string;
    /** PATH without this repository's own tools, with all package managers. */
    readonly hostPath: string;
  }
}

/**
 * Packs the tarball and installs it outside the repository, once for all e2e tests.
 * @param project what the tests are told through
 * @returns what removes it again
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'slipway-e2e-'));
  const hostPath = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((folder) => !folder.includes('node_modules'));
  const run = (line: string, cwd: string) =>
    execa(line, { cwd, shell: true, env: { PATH: hostPath.join(path.delimiter) } });

  // As in a clean clone: what is packed is built by that.
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  await run(`npm pack --silent --pack-destination ${scratch}`, root);
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz')) ?? '';
  const installed = path.join(scratch, 'installed');
  mkdirSync(installed);
  writeFileSync(path.join(installed, 'package.json'), '{ "private": true }');
  await run(`npm install --no-audit --no-fund ${path.join(scratch, tarball)}`, installed);

  const tools = path.join(root, '.cache', 'e2e-tools');
  mkdirSync(tools, { recursive: true });
  writeFileSync(path.join(tools, 'package.json'), '{ "private": true }');
  const packages = Object.values(packageManagerDefinitions).flatMap(({ name, package: id }) =>
    name === 'npm' ? [] : `${id}@${packageManagers[name]}`,
  );
  await run(`npm install --no-audit --no-fund ${packages.join(' ')}`, tools);

  project.provide('installed', installed);
  project.provide('newNode', path.dirname(process.execPath));
  project.provide('hostPath', [...hostPath, path.join(tools, 'node_modules', '.bin')].join(path.delimiter));
  return () => rmSync(scratch, { recursive: true, force: true });
}
