import type { Composer } from './composer.ts';
import { toYaml } from './yaml.ts';

const folder = 'deploy/compose/';

/** `deploy/compose/compose.yaml`: merges the service's own fragment with the fragments of the modules. */
export const composeContainers: Composer = ({ manifest, paths }) => {
  const fragments = paths.filter((path) => path.startsWith(folder) && path.endsWith('.yaml'));
  const text = toYaml(
    { name: manifest.service.name, include: [{ path: fragments.map((path) => path.slice(folder.length)) }] },
    ['The service and all it needs: docker compose -f deploy/compose/compose.yaml up --build'],
  );
  return [[`${folder}compose.yaml`, { text, ownership: 'merged' }]];
};
