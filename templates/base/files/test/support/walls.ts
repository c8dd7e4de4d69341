import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** What each part may import besides itself: cmd → internal → pkg and api, never back. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  cmd: ['cmd', 'internal', 'pkg', 'api'],
  internal: ['internal', 'pkg', 'api'],
  pkg: ['pkg', 'api'],
  api: ['api'],
};

const importOf = /\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g;

/**
 * Looks for imports that go through a wall.
 * @param root the service's root folder
 * @returns one line for each, naming the file and what it imports
 */
export async function findViolations(root: string): Promise<string[]> {
  const parts = await Promise.all(Object.keys(allowed).map((part) => sources(root, part)));
  const found = await Promise.all(parts.flat().map((file) => violationsIn(root, file)));
  return found.flat().toSorted();
}

/** The sources of one part; tests may import what they like. */
async function sources(root: string, part: string): Promise<string[]> {
  const entries = await readdir(path.join(root, part), { recursive: true }).catch(() => []);
  return entries
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => path.posix.join(part, ...name.split(path.sep)));
}

async function violationsIn(root: string, file: string): Promise<string[]> {
  const text = await readFile(path.join(root, file), 'utf8');
  const specifiers = [...text.matchAll(importOf)].map(([, specifier = '']) => specifier);
  return specifiers
    .filter((specifier) => !mayImport(file, specifier))
    .map((specifier) => `${file} imports ${specifier}`);
}

function mayImport(file: string, specifier: string): boolean {
  const [part = ''] = file.split('/');
  const isDomain = path.posix.basename(file) === 'domain.ts';
  // A package is an adapter to something: a domain has none. TypeBox only describes values.
  if (!specifier.startsWith('.')) return !isDomain || specifier === 'typebox';
  const target = path.posix.join(path.posix.dirname(file), specifier);
  const [targetPart = ''] = target.split('/');
  if (isDomain && targetPart !== 'pkg' && path.posix.basename(target) !== 'domain.ts') return false;
  return allowed[part]?.includes(targetPart) ?? true;
}
