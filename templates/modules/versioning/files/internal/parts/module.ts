import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { http } from '../platform/http/module.ts';
import { versioning } from '../platform/versioning/module.ts';
import { memoryRepository } from './domain.ts';
import { partRoutes } from './routes.ts';

/**
 * Example of a resource in two versions: parts and where they lie. It is yours: list it in `cmd/server/main.ts` and run
 * `npm run openapi`, or delete the folder.
 */
export const parts = defineModule({
  name: 'parts',
  config: Type.Object({}),
  requires: [http, versioning],
  start({ use }) {
    const repository = memoryRepository();
    partRoutes(use(http), use(versioning), repository);
    return { value: repository };
  },
});
