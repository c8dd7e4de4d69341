import { chmodSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it, vi } from 'vitest';
import { slipway } from '../helpers/cli.ts';
import { scratchFolder, writeFiles } from '../helpers/scratch.ts';
import { newService } from './service.ts';

vi.setConfig({ testTimeout: 120_000 });

describe('something else in the place of a file', () => {
  it.each([
    ['a link that leads out of the service', (file: string) => symlinkSync('/etc/hostname', file)],
    ['a link to nowhere', (file: string) => symlinkSync('nowhere', file)],
    ['a link into git', (file: string) => symlinkSync('.git/config', file)],
    ['a folder', (file: string) => mkdirSync(file)],
    ['a pipe', (file: string) => execaSync('mkfifo', [file])],
  ])('is left alone and told: %s', (_, put) => {
    const service = newService('--preset=minimal');
    writeFiles(service.root, { '.git/config': '' });
    const file = path.join(service.root, '.editorconfig');
    rmSync(file);
    put(file);
    const state = () => execaSync('ls', ['-ld', file]).stdout;
    const before = state();
    expect(service.must('check')).toMatch(/keep +\.editorconfig +it is a .*: left alone/);
    service.must('add', 'redis');
    service.second.must('update');
    service.second.must('remove', 'redis');
    expect(state()).toBe(before);
    rmSync(file, { recursive: true });
    service.second.must('update');
    expect(service.second.must('check')).toContain('No drift');
  });

  it('may be ejected', () => {
    const service = newService('--preset=minimal');
    rmSync(path.join(service.root, '.editorconfig'));
    symlinkSync('/etc/hostname', path.join(service.root, '.editorconfig'));
    service.must('eject', '.editorconfig');
    expect(service.must('check')).not.toContain('.editorconfig');
    expect(readlinkSync(path.join(service.root, '.editorconfig'))).toBe('/etc/hostname');
  });

  it('a folder behind a link that leads out gets no file', () => {
    const service = newService('--preset=minimal');
    const outside = scratchFolder();
    rmSync(path.join(service.root, 'docs'), { recursive: true });
    symlinkSync(outside, path.join(service.root, 'docs'));
    const before = service.tree();
    const { exitCode, stdout } = service.run('add', 'postgres', '--no-install');
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/docs\/postgres\.md +it is a link that leads out of the service.*--conflict=ours/);
    expect(service.tree()).toEqual(before);
    service.must('add', 'postgres', '--conflict=ours');
    expect(execaSync('ls', [outside]).stdout).toBe('');
    expect(service.read('internal/platform/postgres/module.ts')).not.toBe('');
    expect(service.must('check')).toContain('left alone');
  });
});

describe('what git ignores', () => {
  it('is not read, however many files it is', () => {
    const service = newService('--preset=minimal');
    execaSync('git', ['init', '--quiet'], { cwd: service.root });
    service.write('.gitignore', `${service.read('.gitignore')}data/\n*.tmp\n`);
    mkdirSync(path.join(service.root, 'data'));
    for (let index = 0; index <= 20_000; index += 1) writeFileSync(path.join(service.root, `data/${index}`), '');
    service.write('internal/copy.ts.tmp', service.read('internal/platform/log/logger.ts'));
    rmSync(path.join(service.root, 'internal/platform/log/logger.ts'));
    expect(service.must('check')).not.toContain('.tmp');
  });

  it('is read where it is a file of Slipway, and the service where git ignores all of it', () => {
    const parent = scratchFolder('memory');
    execaSync('git', ['init', '--quiet'], { cwd: parent });
    writeFiles(parent, { '.gitignore': 'orders/\n' });
    slipway(['new', 'orders', '--yes', '--no-install', '--preset=minimal'], { cwd: parent });
    const root = path.join(parent, 'orders');
    writeFiles(root, { 'mine.ts': "import './internal/platform/redis/module.ts';\n" });
    slipway(['add', 'redis', '--no-install'], { cwd: root });
    const { exitCode, stderr } = slipway(['remove', 'redis', '--no-install'], { cwd: root });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('mine.ts:1 imports ./internal/platform/redis/module.ts');
  });
});

describe('a command that installs', () => {
  it('asks for development and optional packages, whatever the environment says', () => {
    const service = newService('--preset=minimal');
    const tools = scratchFolder();
    const script = `#!/bin/sh\nenv | grep -iE "^(NODE_ENV|npm_config_)" | sort > "${tools}/env"\n`;
    writeFiles(tools, { npm: { text: script, mode: 0o755 } });
    const env = {
      PATH: `${tools}${path.delimiter}${process.env['PATH']}`,
      NODE_ENV: 'production',
      NPM_CONFIG_OMIT: 'dev',
      npm_config_omit: 'optional',
      npm_config_production: 'true',
      npm_config_fund: 'false',
    };
    const { exitCode, stderr } = slipway(['add', 'redis'], { cwd: service.root, env });
    expect(exitCode, stderr).toBe(0);
    const told = execaSync('cat', [path.join(tools, 'env')]).stdout;
    expect(told).not.toMatch(/^(?:NODE_ENV|npm_config_(?:omit|production))=/im);
    expect(told).toMatch(/^npm_config_include=dev$/m);
    expect(told).toMatch(/^npm_config_fund=false$/m);
  });
});

describe('--verify', () => {
  it('passes over a pipe, a socket and a folder that may not be read', () => {
    const service = newService('--preset=minimal');
    const tools = scratchFolder();
    writeFiles(tools, { npm: { text: '#!/bin/sh\n', mode: 0o755 } });
    execaSync('mkfifo', [path.join(service.root, 'pipe')]);
    mkdirSync(path.join(service.root, 'closed'));
    writeFileSync(path.join(service.root, 'closed/data'), 'x');
    chmodSync(path.join(service.root, 'closed'), 0o000);
    const env = { PATH: `${tools}${path.delimiter}${process.env['PATH']}` };
    const { exitCode, stderr } = slipway(['add', 'redis', '--verify', '--no-install'], { cwd: service.root, env });
    chmodSync(path.join(service.root, 'closed'), 0o755);
    expect(exitCode, stderr).toBe(0);
  });
});

describe('remove', () => {
  it('names what in scripts, overlays, mocks, imports with # and paths still needs the module', () => {
    const service = newService('--preset=default', '--modules=postgres');
    const needs = {
      'internal/a.test.ts': "vi.mock('./platform/postgres/module.ts');\n",
      'internal/b.ts': "export const folder = new URL('platform/postgres/', import.meta.url);\n",
      'internal/c.ts': "import '#platform/postgres/module.ts';\n",
      'deploy/k8s/overlays/eu/kustomization.yaml': 'components:\n  - ../../components/postgres\n',
      'nightly.Dockerfile': 'RUN npm run migrate\n',
    };
    for (const [file, text] of Object.entries(needs)) service.write(file, text);
    service.edit('package.json', (text) =>
      text
        .replace('"scripts": {', '"scripts": {\n    "seed": "npm run migrate && node seed.ts",')
        .replace('"type": "module",', '"type": "module",\n  "imports": { "#platform/*": "./internal/platform/*" },'),
    );
    const { exitCode, stderr } = service.run('remove', 'postgres', '--no-install');
    expect(exitCode).toBe(3);
    for (const file of [...Object.keys(needs), 'package.json']) expect(stderr).toContain(`  ${file}:`);
  });
});
