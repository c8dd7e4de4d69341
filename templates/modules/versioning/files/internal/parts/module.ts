import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { http } from '../platform/http/module.ts';
import { versioning } from '../platform/versioning/module.ts';
import { partRoutes } from './routes.ts';
import type { Part } from './versions.ts';

/**
 * Example of a resource in two versions: parts and their places. List it in `cmd/server/main.ts` and run `npm run openapi`, or delete the
 * folder.
 */
export const parts = defineModule({
  name: 'parts',
  config: Type.Object({}),
  requires: [http, versioning],
  start({ use }) {
    // In memory: it is empty again after a restart.
    partRoutes(use(http), use(versioning), new Map<string, Part>());
    return { value: undefined };
  },
});
