import type { CatalogueModule } from '../catalogue.ts';

/**
 * Draws a service from what its modules say: who calls it, its processes, the modules in them, and the servers they need.
 * @param modules the base and the service's modules
 * @returns a flowchart in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html), one line each
 */
export function modulesPicture(modules: readonly CatalogueModule[]): string[] {
  return [
    'flowchart LR',
    '  clients([clients]) --> http',
    '  operators([kubelet, Prometheus]) --> admin',
    '  subgraph server["cmd/server"]',
    ...modules.flatMap(({ wiring }) => Object.keys(wiring ?? {}).map((name) => `    ${name}`)),
    '  end',
    ...modules.flatMap(({ id, requires = [] }) => requires.map((required) => `  ${id} --> ${required}`)),
    ...modules.flatMap(server),
  ];
}

/** A module that brings a container speaks to a server, and so do the processes that it brings. */
function server({ id, files }: CatalogueModule): string[] {
  if (!files.some(({ path }) => path === `deploy/compose/${id}.yaml`)) return [];
  const processes = files.flatMap(({ path }) => /^cmd\/([^/]+)\/main\.ts$/.exec(path)?.[1] ?? []);
  return [`  ${id} --> ${id}-server[(${id})]`, ...processes.map((name) => `  ${name}["cmd/${name}"] --> ${id}-server`)];
}
