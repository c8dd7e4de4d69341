import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, it } from 'vitest';
import { render } from '../../generators/engine/render.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { offeredModules } from '../helpers/offeredModules.ts';
import { scratchFolder } from '../helpers/scratch.ts';
import { codeRules } from './contract/code.ts';
import { definitionRules } from './contract/definition.ts';
import { fileRules } from './contract/files.ts';
import { good, planted } from './contract/sample.ts';
import { serviceWith, type Subject, textsOf } from './contract/subject.ts';

const rules = { ...definitionRules, ...codeRules, ...fileRules };
const templates = path.resolve(import.meta.dirname, '../../templates');
const catalogue = await buildCatalogue();
const folders = ['base', ...readdirSync(path.join(templates, 'modules')).map((id) => `modules/${id}`)];

function subjectIn(folder: string): Subject {
  const id = path.basename(folder);
  const module = folder === 'base' ? catalogue.base : catalogue.modules[id];
  if (module === undefined) throw new Error(`the catalogue has no module ${id}`);
  return { module, folder: id, catalogue, sources: sourcesIn(path.join(templates, folder, 'files')), render };
}

function sourcesIn(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [path.relative(folder, file).replaceAll(path.sep, '/'), readFileSync(file, 'utf8')];
    }),
  );
}

describe.each(folders)('templates/%s', (folder) => {
  const subject = subjectIn(folder);

  it.each(Object.entries(rules))('%s', (_, rule) => {
    expect(rule(subject)).toEqual([]);
  });
});

describe('a service with every module', () => {
  const files = serviceWith(subjectIn('base'), offeredModules);

  function written(): string {
    const folder = scratchFolder();
    for (const [file, text] of textsOf(files)) outputFileSync(path.join(folder, file), text);
    return folder;
  }

  it('keeps the walls between cmd, internal, pkg and api', () => {
    const { stdout } = spawnSync(path.resolve(templates, '../node_modules/.bin/oxlint'), ['--format=unix'], {
      cwd: written(),
      encoding: 'utf8',
    });
    expect(stdout).not.toContain('no-restricted-imports');
  });

  it('is formatted as its own formatter prints it, composed files and rendered templates included', () => {
    const { status, stdout, stderr } = spawnSync(path.resolve(templates, '../node_modules/.bin/oxfmt'), ['--check'], {
      cwd: written(),
      encoding: 'utf8',
    });
    expect(stdout + stderr).not.toMatch(/^.*\.(?:md|json|ya?ml|ts).*$/m);
    expect(status).toBe(0);
  });

  it('has no two paths that a case-blind file system takes for one', () => {
    const all = [...files.keys()].flatMap((file) =>
      file.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/')),
    );
    const spellings = new Set(all);
    expect(new Set([...spellings].map((name) => name.toLowerCase())).size).toBe(spellings.size);
  });

  it('has pipelines in which the expressions of their providers stand whole', () => {
    const github = textsOf(files).get('.github/workflows/ci.yaml') ?? '';
    expect(github.match(/\$\{\{ [^{}]+ \}\}/g)?.length).toBeGreaterThan(2);
    expect(github.replaceAll(/\$\{\{ [^{}]+ \}\}/g, '')).not.toMatch(/\{\{|\}\}/);
  });
});

describe('the contract', () => {
  it('is kept by the sample module', () => {
    const breaches = Object.entries(rules).flatMap(([name, rule]) => rule(good).map((fault) => `${name}: ${fault}`));
    expect(breaches).toEqual([]);
  });

  it.each(Object.keys(rules))('is seen to be broken by a module that breaks it: %s', (name) => {
    const breaches = planted[name] ?? [];
    expect(breaches).not.toEqual([]);
    for (const breach of breaches) expect(rules[name]?.({ ...good, ...breach })).not.toEqual([]);
  });
});
