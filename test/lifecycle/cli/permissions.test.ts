import { chmodSync, chownSync, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder, slipway, treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { scratchService } from '../../helpers/scratchService.ts';

/** Root may do anything: under root, the command line runs as somebody who may not. */
const uid = process.getuid?.() === 0 ? 65_534 : undefined;
const adding = ['add', 'postgres', '--no-install'];

function ownedBy(folder: string, owner: number | undefined): void {
  if (owner === undefined) return;
  for (const name of ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
    const file = path.join(folder, name);
    if (!lstatSync(file).isSymbolicLink()) chownSync(file, owner, owner);
  }
}

/** A service of the user that the command line runs as. */
function ownService(): ReturnType<typeof scratchService> {
  const service = scratchService();
  ownedBy(path.dirname(service.path), uid);
  return service;
}

function as(args: readonly string[], cwd: string) {
  return slipway(args, { cwd, uid });
}

describe.skipIf(process.platform === 'win32')('without the right to it', () => {
  it.for([
    ['slipway.json', 0o000, ['check'], 'cannot read slipway.json: permission denied\n  give your user the right'],
    ['package.json', 0o000, ['check'], 'cannot read package.json: permission denied'],
    ['.slipway/lock.jsonl', 0o000, ['check'], 'cannot read .slipway/lock.jsonl: permission denied'],
    ['.slipway', 0o000, ['check'], 'permission denied'],
    ['internal/platform/app', 0o000, adding, 'cannot open internal/platform/app/'],
    [
      'package.json',
      0o444,
      adding,
      'package.json is read-only and would have to change\n  make it writable (chmod u+w',
    ],
    ['.slipway/lock.jsonl', 0o444, adding, '.slipway/lock.jsonl is read-only and would have to change'],
    ['slipway.json', 0o444, ['ci', '--provider', 'none'], 'slipway.json is read-only and would have to change'],
    ['internal', 0o555, adding, 'cannot be written: its folder is read-only'],
    ['.', 0o555, adding, 'cannot be written: its folder is read-only'],
    ['.slipway/base.jsonl', 0o444, adding, '.slipway/base.jsonl is read-only and would have to change'],
  ] as const)('%s with mode %o: one error, nothing changed', ([name, mode, command, message]) => {
    using service = ownService();
    const file = path.join(service.path, name);
    const { mode: former } = statSync(file);
    const before = treeOf(service.path);
    chmodSync(file, mode);
    const result = as(command, service.path);
    chmodSync(file, former);
    expectFault(result, 2, message);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('a service of somebody else is not changed, but can be looked at', () => {
    using service = scratchService();
    chmodSync(path.dirname(service.path), 0o755);
    if (uid === undefined) chmodSync(path.join(service.path, '.slipway'), 0o555);
    const before = treeOf(service.path);
    expectFault(as(adding, service.path), 1, /cannot lock the service .+: permission denied/);
    expect(as(['check'], service.path).exitCode).toBe(0);
    expect(as([...adding, '--dry-run'], service.path).exitCode).toBe(0);
    if (uid === undefined) chmodSync(path.join(service.path, '.slipway'), 0o755);
    expect(treeOf(service.path)).toEqual(before);
  });

  it('no new service is laid down in a folder that is read-only', () => {
    using scratch = scratchFolder();
    chmodSync(scratch.path, 0o555);
    const result = as(['new', 'orders', '--yes', '--no-install', '--no-git'], scratch.path);
    expectFault(result, 1, /cannot create .+orders, so nothing was written: permission denied\n {2}give your user/);
    expect(readdirSync(scratch.path)).toEqual([]);
  });

  it('nothing is laid down in a folder that cannot be looked into', () => {
    using scratch = scratchFolder();
    const shut = path.join(ownedFolder(scratch.path), 'orders');
    expectFault(
      as(['new', 'orders', '--yes', '--no-install'], path.dirname(shut)),
      2,
      'cannot use orders: permission denied',
    );
  });

  it('a folder that cannot be entered is named', () => {
    using service = ownService();
    chmodSync(path.dirname(service.path), 0o000);
    const result = slipway(['check', '--cwd', service.path], { cwd: '/', uid });
    chmodSync(path.dirname(service.path), 0o755);
    expectFault(result, 2, /cannot use the folder .+orders: permission denied/);
  });

  it('a plan and answers that cannot be read are named', () => {
    using service = ownService();
    const file = path.join(service.path, 'README.md');
    chmodSync(file, 0o000);
    expectFault(as(['apply', 'README.md'], service.path), 2, /cannot read the plan .+README\.md: permission denied/);
    expectFault(
      as(['new', '--answers', 'README.md'], service.path),
      2,
      /cannot read the answers .+: permission denied/,
    );
  });

  it('modes of files that are changed stay as the user set them', () => {
    using service = ownService();
    chmodSync(path.join(service.path, 'package.json'), 0o600);
    chmodSync(path.join(service.path, 'slipway.json'), 0o640);
    expect(as(adding, service.path).exitCode).toBe(0);
    expect(statSync(path.join(service.path, 'package.json')).mode & 0o777).toBe(0o600);
    expect(statSync(path.join(service.path, 'slipway.json')).mode & 0o777).toBe(0o640);
  });
});

/** A folder with a folder `orders` in it that nobody may look into. */
function ownedFolder(folder: string): string {
  const made = slipway(['new', 'orders', '--yes', '--no-install', '--no-git'], { cwd: folder });
  expect(made.exitCode).toBe(0);
  ownedBy(folder, uid);
  chmodSync(path.join(folder, 'orders'), 0o000);
  return folder;
}
