import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildCatalogue } from '../../templates/build.ts';
import { serviceFolder } from '../helpers/serviceFolder.ts';

const catalogue = await buildCatalogue();
const contract = 'api/proto/items/v1/items.proto';
let folder: string;

function git(...args: readonly string[]) {
  return execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: folder });
}

/** A commit, and the release of it. */
async function commit(...tags: readonly string[]): Promise<void> {
  await git('add', '.');
  await git('commit', '--quiet', '--message=a');
  for (const tag of tags) await git('tag', tag);
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(path.join(folder, file), 'utf8');
  expect(text).toContain(from);
  writeFileSync(
    path.join(folder, file),
    text.replace(from, () => to),
  );
}

/** What the CI job runs. */
async function compare(...args: readonly string[]): Promise<{ exitCode: number | undefined; all: string }> {
  const { exitCode, all } = await execa('npm', ['run', 'contract', '--', ...args], {
    cwd: folder,
    env: { NODE_OPTIONS: '' },
    reject: false,
    all: true,
  });
  return { exitCode, all };
}

beforeEach(async () => {
  folder = serviceFolder(['contract', 'grpc'], catalogue, catalogue.presets['default']?.resources);
  await git('init', '--quiet');
});

describe('the contract in api/proto, and the last release', () => {
  it('is compared with nothing where there is none', async () => {
    await commit();
    change(contract, '  string name = 5;\n', '');
    const { exitCode, all } = await compare();
    expect(all).toContain('buf.yaml: nothing to compare with: no release yet');
    expect(exitCode).toBe(0);
  });

  it('is compared with nothing where that had none', async () => {
    writeFileSync(path.join(folder, '.git/info/exclude'), 'api/proto\nbuf.yaml\n');
    await commit('v1.0.0');
    const { exitCode, all } = await compare();
    expect(all).toContain('buf.yaml: nothing to compare with: v1.0.0 has no buf.yaml');
    expect(exitCode).toBe(0);
  });

  it('may have more', async () => {
    await commit('v1.0.0');
    change(contract, '  string name = 5;\n', '  string name = 5;\n  string colour = 9;\n');
    expect(await compare()).toMatchObject({ exitCode: 0 });
  });

  it('has all that was released, also what came after the service was laid down', async () => {
    change(contract, '  string name = 5;\n', '  string name = 5;\n  string colour = 9;\n');
    await commit('v1.0.0');
    change(contract, '  string colour = 9;\n', '');
    const { exitCode, all } = await compare();
    expect(all).toContain(`${contract}:`);
    expect(all).toContain('field "9" with name "colour" on message "Item" was deleted');
    expect(all).toContain('Callers of v1.0.0 by gRPC break.');
    expect(exitCode).not.toBe(0);
    // What breaks is not released by being committed.
    await commit();
    expect(await compare()).toMatchObject({ exitCode });
    await git('tag', 'v2.0.0');
    expect(await compare()).toMatchObject({ exitCode: 0 });
    expect(await compare('v1.0.0')).toMatchObject({ exitCode });
  });

  it('may break them where buf.yaml says so', async () => {
    await commit('v1.0.0');
    rmSync(path.join(folder, 'api/proto/items/v1'), { recursive: true });
    expect((await compare()).all).toContain('file "items/v1/items.proto" was deleted');
    appendFileSync(path.join(folder, 'buf.yaml'), '    - api/proto/items/v1\n');
    expect(await compare()).toMatchObject({ exitCode: 0 });
  });
});
