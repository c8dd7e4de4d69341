import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { slipway, treeOf } from '../helpers/cli.ts';
import { scratchFolder, writeFiles } from '../helpers/scratch.ts';
import { serviceIn, type TestService } from './service.ts';

const still = ['--yes', '--no-install'];
const copy = '.github/workflows/orders.yaml';
const original = '.github/workflows/ci.yaml';

/** A repository with these files. */
function repository(files: Readonly<Record<string, string>>): string {
  const root = scratchFolder('memory');
  execaSync('git', ['init', '--quiet'], { cwd: root });
  writeFiles(root, files);
  return root;
}

const npmWorkspace = { 'package.json': '{ "private": true, "workspaces": ["services/*"] }\n' };

/** A service at `services/orders`. */
function serviceOf(root: string, ...flags: string[]): TestService & { readonly output: string } {
  const { exitCode, stdout, stderr } = slipway(['new', 'services/orders', ...still, ...flags], { cwd: root });
  if (exitCode !== 0) throw new Error(stderr);
  return { ...serviceIn(path.join(root, 'services/orders')), output: stdout };
}

function text(root: string, file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

describe('a service in a workspace', () => {
  it.each([
    ['npm', 'package-lock.json', npmWorkspace],
    ['npm', 'package-lock.json', { 'package.json': '{ "workspaces": { "packages": ["./services/**"] } }\n' }],
    ['pnpm', 'pnpm-lock.yaml', { 'pnpm-workspace.yaml': 'packages: ["services/{orders,billing}"]\n' }],
    ['yarn', 'yarn.lock', npmWorkspace],
    ['bun', 'bun.lock', npmWorkspace],
  ])('of %s has its lockfile, its workflow and the context of its image at the root', (manager, lockfile, files) => {
    const root = repository(files);
    const service = serviceOf(root, `--package-manager=${manager}`);
    expect(service.manifest()['monorepo']).toEqual({ path: 'services/orders', workspace: '.' });
    for (const name of [lockfile, 'pnpm-workspace.yaml', '.yarnrc.yml'])
      expect(Object.keys(service.tree())).not.toContain(name);
    expect(service.output).toContain('Renovate reads renovate.json at the root of the repository only');
    expect(service.output.includes('nodeLinker: node-modules')).toBe(manager === 'yarn');
    expect(service.read('docs/supply-chain.md')).toContain('local>OWNER/REPOSITORY//services/orders/renovate');
    const workflow = parse(text(root, copy));
    expect(workflow).toMatchObject({
      name: 'orders',
      on: { pull_request: { paths: ['services/orders/**', 'package.json', lockfile, copy] } },
      defaults: { run: { 'working-directory': 'services/orders' } },
    });
    expect(workflow.on.push.paths).toEqual(workflow.on.pull_request.paths);
    expect(JSON.stringify(workflow.jobs.check.steps)).toMatch(
      new RegExp(`"cache-dependency-path":"${lockfile}"|hashFiles\\('${lockfile}'\\)`),
    );
    expect(service.read('deploy/docker/Dockerfile')).toContain('COPY services/orders/package.json ./\n');
    expect(service.read('deploy/docker/Dockerfile.dockerignore')).toContain('**/node_modules\n');
    expect(parse(service.read('deploy/compose/service.yaml')).services.server.build).toEqual({
      context: '../../../..',
      dockerfile: 'services/orders/deploy/docker/Dockerfile',
    });
    expect(service.read('deploy/argocd/applications.yaml')).toContain('path: services/orders/deploy/k8s/overlays/');
    expect(service.must('check')).toContain('No drift');
  });

  it.each([
    ['yarn', npmWorkspace, false],
    ['yarn', {}, true],
    ['bun', npmWorkspace, true],
  ])('of %s pins Node only where the right one is installed', (manager, files, isPinned) => {
    const service = serviceOf(repository(files), `--package-manager=${manager}`, '--preset=minimal', '--pin-node');
    expect('node' in service.manifest()).toBe(isPinned);
    expect(service.output.includes('no Node is pinned')).toBe(!isPinned);
  });

  it('gets changes of its workflow at the root, but never over an edit there', () => {
    const root = repository(npmWorkspace);
    const service = serviceOf(root, '--preset=minimal');
    service.must('add', 'postgres');
    expect(text(root, copy)).toBe(service.read(original));
    expect(text(root, copy)).toContain('postgres');
    // As git writes it with core.autocrlf: the service has a .gitattributes, its repository may have none.
    writeFiles(root, { [copy]: text(root, copy).replaceAll('\n', '\r\n') });
    expect(service.run('doctor').stdout).toContain('✓ place ');
    service.must('remove', 'postgres');
    expect(text(root, copy)).toBe(service.read(original));
    appendFileSync(path.join(root, copy), '# mine\n');
    const edited = text(root, copy);
    expect(service.must('add', 'redis')).toContain(
      `${copy} of the repository differs from services/orders/${original}`,
    );
    expect(text(root, copy)).toBe(edited);
    const { exitCode, stdout } = service.run('doctor');
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`✗ place        ${copy} of the repository is not ${original} of the service`);
  });

  it('without github has no workflow at the root', () => {
    const root = repository(npmWorkspace);
    const service = serviceOf(root, '--preset=minimal');
    service.must('ci', '--provider=gitlab');
    expect(existsSync(path.join(root, copy))).toBe(false);
    const pipeline = parse(service.read('.gitlab-ci.yml'));
    expect(pipeline.default.before_script[0]).toBe('cd services/orders');
    expect(pipeline.workflow.rules).toContainEqual({ if: '$CI_PIPELINE_SOURCE == "parent_pipeline"' });
    expect(service.must('ci')).toContain('include: services/orders/.gitlab-ci.yml');
  });

  it('finds the packages of the root, and names those that are missing', () => {
    const root = repository(npmWorkspace);
    const service = serviceOf(root, '--preset=minimal');
    const { dependencies, devDependencies } = JSON.parse(service.read('package.json'));
    for (const name of [...Object.keys(dependencies), ...Object.keys(devDependencies)])
      mkdirSync(path.join(root, 'node_modules', name), { recursive: true });
    expect(service.run('doctor').stdout).toContain('✓ dependencies installed');
    execaSync('rm', ['-r', path.join(root, 'node_modules/vitest')]);
    const { exitCode, stdout } = service.run('doctor');
    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      '✗ dependencies vitest not installed; run the package manager’s install; NODE_ENV=production',
    );
  });
});

describe('a service in a folder of a repository', () => {
  it('that is no member of a workspace has its own lockfile, and its workflow at the root', () => {
    const root = repository({ 'package.json': '{ "workspaces": ["packages/*", "!services/*"] }\n' });
    const service = serviceOf(root);
    expect(service.manifest()['monorepo']).toEqual({ path: 'services/orders' });
    expect(service.tree()).toHaveProperty(['package-lock.json']);
    expect(service.read('deploy/docker/Dockerfile')).toContain('COPY package.json package-lock.json* ./\n');
    expect(text(root, copy)).toContain('cache-dependency-path: services/orders/package-lock.json');
    expect(service.tree()).not.toHaveProperty(['deploy/docker/Dockerfile.dockerignore']);
  });

  it.each([
    ['is a repository of its own', { '.gitignore': '' }, 'orders'],
    ['is ignored by git', { '.gitignore': 'services/\n' }, 'services/orders'],
  ])('is a plain service when it %s', (_, files, folder) => {
    const root = folder === 'orders' ? scratchFolder('memory') : repository(files);
    slipway(['new', folder, ...still, '--preset=minimal'], { cwd: root });
    expect(serviceIn(path.join(root, folder)).manifest()).not.toHaveProperty('monorepo');
    expect(existsSync(path.join(root, copy))).toBe(false);
  });

  it('that came there later is named by doctor, and brought to it by ci', () => {
    const root = repository({});
    const parent = scratchFolder('memory');
    slipway(['new', 'orders', ...still, '--no-git', '--preset=minimal'], { cwd: parent });
    mkdirSync(path.join(root, 'services'));
    execaSync('cp', ['-r', path.join(parent, 'orders'), path.join(root, 'services/orders')]);
    const service = serviceIn(path.join(root, 'services/orders'));
    const { exitCode, stdout } = service.run('doctor');
    expect(exitCode).toBe(1);
    expect(stdout).toContain(
      '✗ place        the service is services/orders of a repository, and slipway.json says a repository of its own; bring the service to it with: slipway ci',
    );
    service.must('ci');
    expect(service.manifest()['monorepo']).toEqual({ path: 'services/orders' });
    expect(text(root, copy)).toBe(service.read(original));
    expect(service.run('doctor').stdout).toContain('✓ place        services/orders of a repository');
  });

  it('writes nothing above its repository, whatever its manifest says', () => {
    const parent = scratchFolder('memory');
    slipway(['new', 'services/orders', ...still, '--no-git', '--preset=minimal'], { cwd: parent });
    const service = serviceIn(path.join(parent, 'services/orders'));
    service.edit('slipway.json', (now) => now.replace('"ci":', '"monorepo": { "path": "services/orders" },\n  "ci":'));
    execaSync('git', ['init', '--quiet'], { cwd: service.root });
    service.must('update');
    expect(existsSync(path.join(parent, '.github'))).toBe(false);
  });

  it.each(['../orders', '/orders', 'a b', 'services/orders/', '$(id)'])('is at no such place: %j', (place) => {
    const parent = scratchFolder('memory');
    slipway(['new', 'orders', ...still, '--no-git', '--preset=minimal'], { cwd: parent });
    const service = serviceIn(path.join(parent, 'orders'));
    service.edit('slipway.json', (now) =>
      now.replace('"ci":', `"monorepo": { "path": ${JSON.stringify(place)} },\n  "ci":`),
    );
    const { exitCode, stderr } = service.run('update', '--no-install');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('/monorepo/path: expected a relative path');
  });

  it('is verified in a copy of the whole repository, with what git does not ignore', () => {
    const root = repository({ 'tsconfig.base.json': '{}\n', '.gitignore': 'secret.txt\n', 'secret.txt': 'x' });
    const service = serviceOf(root, '--preset=minimal');
    service.write('uncommitted.ts', '');
    const tools = scratchFolder();
    const script = `#!/bin/sh\npwd > "${tools}/pwd"\ncd ../.. && find . -type f | sort > "${tools}/files"\n`;
    writeFiles(tools, { npm: { text: script, mode: 0o755 } });
    const env = { PATH: `${tools}${path.delimiter}${process.env['PATH']}` };
    const { exitCode, stderr } = slipway(['add', 'redis', '--verify', '--no-install'], { cwd: service.root, env });
    expect(exitCode, stderr).toBe(0);
    const files = text(tools, 'files').split('\n');
    expect(text(tools, 'pwd')).toMatch(/\/services\/orders\n$/);
    expect(files).toEqual(
      expect.arrayContaining([
        './tsconfig.base.json',
        './services/orders/uncommitted.ts',
        './services/orders/internal/platform/redis/module.ts',
        './services/orders/.slipway/lock.jsonl',
      ]),
    );
    expect(files).not.toContain('./secret.txt');
    expect(existsSync(path.dirname(path.dirname(text(tools, 'pwd').trim())))).toBe(false);
  });

  it('of a workspace without git is verified in a copy of the workspace', () => {
    const root = scratchFolder('memory');
    writeFiles(root, { ...npmWorkspace, 'tsconfig.base.json': '{}\n', 'node_modules/x/index.js': '' });
    const service = serviceOf(root, '--preset=minimal', '--no-git');
    const tools = scratchFolder();
    writeFiles(tools, { npm: { text: `#!/bin/sh\nls ../.. > "${tools}/files"\n`, mode: 0o755 } });
    const env = { PATH: `${tools}${path.delimiter}${process.env['PATH']}` };
    const { exitCode, stderr } = slipway(['add', 'redis', '--verify', '--no-install'], { cwd: service.root, env });
    expect(exitCode, stderr).toBe(0);
    expect(text(tools, 'files')).toBe('package.json\nservices\ntsconfig.base.json\n');
  });

  it('is told by doctor which of its files git ignores', () => {
    const root = repository({ '.gitignore': 'pkg/\n' });
    const service = serviceOf(root, '--preset=minimal');
    const { exitCode, stdout } = service.run('doctor');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/✗ git {10}git ignores pkg\/context\/index\.ts.*; no clone has these files/);
    expect(treeOf(service.root)).toHaveProperty(['pkg/context/index.ts']);
    expect(service.must('check')).toContain('No drift');
  });
});
