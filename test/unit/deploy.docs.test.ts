import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { deployTree, moduleIds } from '../helpers/deployTree.ts';

describe('README.md', () => {
  it('speaks the words of the package manager', () => {
    const npm = deployTree().get('README.md');
    expect(npm).toContain('npm run slipway -- add postgres');
    for (const name of ['pnpm', 'yarn', 'bun'] as const) {
      expect(npm).not.toContain(name);
      const text = deployTree([], name).get('README.md');
      expect(text).toContain(`${name} run slipway add postgres`);
      expect(text?.replace('`npm install --global', '')).not.toMatch(/(?<!p)npm /);
    }
  });

  it('names the ports on which the service listens', () => {
    expect(deployTree().get('README.md')).toContain('http://localhost:8080');
    expect(deployTree().get('docs/operations.md')).toMatch(/8080 +\| `PORT`.*\n.*9090 +\| `ADMIN_PORT`/);
  });
});

/** The commands of kubectl in pages, runbooks and comments, without those that are only named. */
function commands(): string[] {
  const texts = [...deployTree(moduleIds)].filter(([path]) => /^(docs|deploy)\/.*\.(md|yaml)$/.test(path));
  const found = texts.flatMap(([, text]) => [...text.matchAll(/kubectl [^`|\n]*[^`|\n ]/g)].map(([line]) => line));
  return [...new Set(found.filter((line) => / -(?!k$)|<| (get|describe|delete|explain) \w/.test(line)))];
}

/** What is of the cluster, or of the namespace that the overlay names. */
const withoutNamespace = /^kubectl (kustomize|drain|explain|describe node|create namespace|apply -k)\b/;

describe('commands of kubectl in the documents', () => {
  it('are there', () => {
    expect(commands().length).toBeGreaterThan(20);
  });

  it.each(commands())('%s: names the namespace, shows all lines, may run where pods are restricted', (command) => {
    if (!withoutNamespace.test(command)) expect(command).toMatch(/ -n \S/);
    // With a selector, kubectl shows the last ten lines only.
    if (/ logs .*-l /.test(command)) expect(command).toContain(' --tail=-1');
    if (command.includes(' debug ')) expect(command).toContain(' --profile=restricted');
    if (command.includes(' drain ')) expect(command).toContain(' --ignore-daemonsets --delete-emptydir-data');
  });

  it.runIf(spawnSync('kubectl', ['version', '--client']).status === 0)(
    'have flags and arguments that kubectl takes',
    { timeout: 120_000 },
    () => {
      for (const command of commands()) {
        const [, ...args] =
          command
            .replace(/\$\(.*|;.*/, '')
            .replaceAll(/<(\w+)>/g, '$1')
            .match(/'[^']*'|\S+/g) ?? [];
        const given = args.map((word) => word.replaceAll("'", ''));
        // No server answers there: a command that kubectl understands ends with that.
        const { stderr } = spawnSync('kubectl', ['--server=http://127.0.0.1:1', ...given], {
          encoding: 'utf8',
          input: '',
        });
        expect(stderr, command).not.toMatch(/unknown (flag|command|shorthand)|Usage:|See 'kubectl|must (be|specify)/);
      }
    },
  );
});
