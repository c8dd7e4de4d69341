import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { deployTree, type Document, moduleIds } from '../helpers/deployTree.ts';

/** Compose's own schema, as its linter carries it: there is no `docker compose` on every machine that tests. */
const schema = JSON.parse(readFileSync('node_modules/dclint/schemas/compose.schema.json', 'utf8'));
// Formats that only say how a text is to be read (`duration`, `expose`) are Compose's own.
const isCompose = new Ajv({ strict: false, validateFormats: false }).compile({
  ...schema,
  $schema: 'http://json-schema.org/draft-07/schema#',
});

const file = 'deploy/compose/compose.yaml';

describe.each([[[]], [moduleIds]])('Compose, with the modules %j', async (ids) => {
  const files = deployTree(ids);
  const root = parse(files.get(file) ?? '');
  const included: string[] = root.include
    .flatMap(({ path }: Document) => path)
    .map((path: string) => join(dirname(file), path));
  const parts: Document[] = included.map((path) => parse(files.get(path) ?? '', { merge: true }));
  const services = merged(parts.map((part) => part.services));

  it('keeps to the schema, which knows every key', () => {
    for (const document of [root, ...parts]) {
      isCompose(document);
      expect(isCompose.errors ?? []).toEqual([]);
    }
    expect(isCompose({ services: { server: { imagee: 'orders' } } })).toBe(false);
    expect(isCompose({ services: { server: { depends_on: { migrate: { condition: 'soon' } } } } })).toBe(false);
  });

  it('includes every fragment that there is', () => {
    const fragments = [...files.keys()].filter((path) => /^deploy\/compose\/.*\.yaml$/.test(path) && path !== file);
    expect(included.toSorted()).toEqual(fragments.toSorted());
  });

  it('waits for services that there are, and for the health of those that tell it', () => {
    for (const { depends_on: awaited = {} } of Object.values<Document>(services)) {
      for (const [name, { condition }] of Object.entries<Document>(awaited)) {
        expect(Object.keys(services)).toContain(name);
        const isTold = services[name].healthcheck ?? services[name].build;
        if (condition === 'service_healthy') expect(isTold, name).toBeDefined();
      }
    }
  });

  it('declares every volume that it mounts, and publishes no port twice', () => {
    const declared = Object.keys(merged(parts.map((part) => part.volumes ?? {})));
    const all: Document[] = Object.values(services);
    const mounted: string[] = all.flatMap(({ volumes = [] }) => volumes.map((volume: string) => volume.split(':')[0]));
    expect(mounted.toSorted()).toEqual(declared.toSorted());
    const published: string[] = all.flatMap(({ ports = [] }) => ports.map((port: string) => port.split(':').at(-2)));
    expect(new Set(published).size).toBe(published.length);
  });

  it('builds every image of its own from a Dockerfile that is there', () => {
    const builds = Object.values<Document>(services).flatMap(({ build }) => (build ? [build] : []));
    expect(builds.length).toBeGreaterThan(0);
    for (const { context, dockerfile } of builds) {
      expect(files.has(join(dirname(file), context, dockerfile))).toBe(true);
    }
  });
});

/** As Compose does with one service in several files, as far as it matters here: the keys of both. */
function merged(parts: readonly Document[]): Document {
  const result: Document = {};
  for (const [name, value] of parts.flatMap((part) => Object.entries(part))) {
    result[name] = { ...result[name], ...Object(value) };
  }
  return result;
}
