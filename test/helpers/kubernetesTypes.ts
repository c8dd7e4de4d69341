import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import type { Document } from './deployTree.ts';

const repository = path.resolve(import.meta.dirname, '../..');

/**
 * Checks objects against the types of the API, including unknown keys. Each object becomes a literal of its type,
 * which the compiler checks. (The validators of these types accept unknown keys.)
 * @param objects objects of Kubernetes and Argo CD, at least one
 * @returns the errors of the compiler, one line for each, beginning with kind and name
 * @throws Error when a kind has no type
 */
export async function typeFaults(objects: readonly Document[]): Promise<string[]> {
  const cache = path.join(repository, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'kubernetes-types-'));
  try {
    const files = objects.map((object, index) => [`${index}.ts`, object] as const);
    for (const [name, object] of files) writeFileSync(path.join(folder, name), literal(object));
    const { all } = await execa('tsc', ['--project', project(folder), '--pretty', 'false'], {
      preferLocal: true,
      localDir: repository,
      cwd: folder,
      reject: false,
      all: true,
    });
    return all
      .split('\n')
      .filter((line) => /^\S/.test(line))
      .map((line) => line.replace(/^(\d+\.ts)\(.*?\): error TS\d+: /, (_, name: string) => `${nameOf(files, name)}: `));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function nameOf(files: readonly (readonly [string, Document])[], name: string): string {
  const object = files.find(([file]) => file === name)?.[1];
  return `${object.kind} ${object.metadata.name}`;
}

function literal(object: Document): string {
  const group = object.apiVersion.startsWith('argoproj.io/') ? '@kubernetes-models/argo-cd' : 'kubernetes-models';
  const source = `${group}/${object.apiVersion}/${object.kind}`;
  return `import type { I${object.kind} } from '${source}';\nexport default ${JSON.stringify(object)} satisfies I${object.kind};\n`;
}

function project(folder: string): string {
  const file = path.join(folder, 'tsconfig.json');
  const compilerOptions = {
    noEmit: true,
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    types: [],
    skipLibCheck: true,
  };
  writeFileSync(file, JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  return file;
}
