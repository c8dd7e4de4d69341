import { describe, expect, it } from 'vitest';
import { deployTree } from '../helpers/deployTree.ts';

describe('README.md', () => {
  it('speaks the words of the package manager', () => {
    const npm = deployTree().get('README.md');
    const pnpm = deployTree([], 'pnpm').get('README.md');
    expect(npm).toContain('npm run slipway -- add postgres');
    expect(npm).not.toContain('pnpm');
    expect(pnpm).toContain('pnpm run slipway add postgres');
    expect(pnpm).not.toMatch(/(?<!p)npm /);
  });

  it('names the ports on which the service listens', () => {
    expect(deployTree().get('README.md')).toContain('http://localhost:8080');
    expect(deployTree().get('docs/operations.md')).toMatch(/8080 +\| `PORT`.*\n.*9090 +\| `ADMIN_PORT`/);
  });
});
