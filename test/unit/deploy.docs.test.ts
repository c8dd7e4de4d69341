import { dirname, join } from 'node:path/posix';
import { describe, expect, it } from 'vitest';
import { deployTree } from '../helpers/deployTree.ts';
import { renderFiles, sampleContext } from '../helpers/renderTemplate.ts';

const files = await deployTree();
/** What the engine composes from all modules. */
const composed = ['docs/modules.md', 'docs/configuration.md', 'docs/try.md', 'package.json', 'slipway.json'];
const paths = [...files.keys(), ...composed];
const pages = [...files].filter(([path]) => path.endsWith('.md'));

function exists(path: string): boolean {
  return paths.some((known) => known === path || known.startsWith(`${path.replace(/\/$/, '')}/`));
}

describe.each(pages)('%s', (page, text) => {
  it('links to pages that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) =>
      join(dirname(page), link),
    );
    expect(links.filter((link) => !exists(link))).toEqual([]);
  });

  it('names paths that are there', () => {
    const named = [...text.matchAll(/(?<![\w/])(?:cmd|internal|deploy|docs)\/[\w./*-]*[\w/](?![\w<*])/g)].map(
      ([path]) => path,
    );
    expect(named.filter((path) => !path.includes('*') && !exists(path))).toEqual([]);
  });

  it('holds no line of a template', () => {
    expect(text).not.toMatch(/\{\{|\}\}|undefined|\[object/);
  });
});

describe('README.md', () => {
  it('speaks the words of the package manager', () => {
    const npm = renderFiles('base', sampleContext('npm')).get('README.md');
    const pnpm = renderFiles('base', sampleContext('pnpm')).get('README.md');
    expect(npm).toContain('npm run slipway -- add postgres');
    expect(npm).not.toContain('pnpm');
    expect(pnpm).toContain('pnpm run slipway add postgres');
    expect(pnpm).not.toMatch(/(?<!p)npm /);
  });

  it('names the ports on which the service listens', () => {
    expect(files.get('README.md')).toContain('http://localhost:8080');
    expect(files.get('docs/operations.md')).toMatch(/8080 +\| `PORT`.*\n.*9090 +\| `ADMIN_PORT`/);
  });
});
