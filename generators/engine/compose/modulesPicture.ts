import type { CatalogueModule } from '../model.ts';

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
    ...modules.flatMap(servers),
  ];
}

/** The servers that a module's tests need are those it speaks to, and so do the processes that it brings. */
function servers({ id, ci, files }: CatalogueModule): string[] {
  const names = Object.values(ci?.additions ?? {}).flatMap(({ services }) => Object.keys(services ?? {}));
  const processes = files.flatMap(({ path }) => /^cmd\/([^/]+)\/main\.ts$/.exec(path)?.[1] ?? []);
  return [...new Set(names)].flatMap((name) => [
    `  ${id} --> ${name}-server[(${name})]`,
    ...processes.map((process) => `  ${process}["cmd/${process}"] --> ${name}-server`),
  ]);
}
