import { describe, expect, it } from 'vitest';
import { encode } from '../../generators/engine/text.ts';
import { withRequired } from '../../generators/engine/resolve.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { applyTo, commandsWith, snapshot, type Tree } from '../helpers/memoryService.ts';

const catalogue = await buildCatalogue();
const { create, add, remove } = commandsWith(catalogue);
const service = create(
  withRequired([...(catalogue.presets['default']?.modules ?? []), 'postgres', 'ratelimit', 'redis'], catalogue),
);
const own = 'docs/http.md';

/** Appends a line of the user's to a file. */
function edited(tree: Tree, path: string): Tree {
  const { bytes, mode } = tree.get(path) ?? { bytes: encode(''), mode: 0o644 };
  return new Map([...tree, [path, { bytes: new Uint8Array([...bytes, ...encode('# mine\n')]), mode }]]);
}

/** Law 3, for modules that host files of others. */
describe.each([
  { ids: ['argocd', 'docker', 'kubernetes'], theirs: 'deploy/compose/postgres.yaml' },
  { ids: ['argocd', 'kubernetes'], theirs: 'deploy/k8s/components/postgres/migrate.yaml' },
  { ids: ['observability'], theirs: 'docs/runbooks/redis.md' },
])('without $ids', ({ ids, theirs }) => {
  const hosts = ids.flatMap((id) => catalogue.modules[id]?.hosts ?? []);
  const hosted = [...service.keys()].filter((path) => hosts.some((host) => path.startsWith(host)));

  it('nothing is left in the folders that they host, and with them again the service is the same, byte for byte', () => {
    const before = edited(service, own);
    const without = applyTo(before, remove(before, ids).changes);
    expect(hosted).toContain(theirs);
    expect(hosted.filter((path) => without.has(path))).toEqual([]);
    expect(without.get(own)).toEqual(before.get(own));
    expect(snapshot(applyTo(without, add(without, ids).changes))).toEqual(snapshot(before));
  });

  it('a file of another module that was edited there is a conflict', () => {
    const { entries } = remove(edited(service, theirs), ids);
    expect(entries.filter(({ action }) => action === 'conflict').map(({ path }) => path)).toEqual([theirs]);
  });
});
