import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { memoryIdempotency } from '../platform/http/idempotency.ts';
import { http } from '../platform/http/module.ts';
import { memoryRepository } from './repository.ts';
import { itemRoutes } from './routes.ts';

const hour = 3_600_000;

/** An example of a domain slice: items in stock. It is yours: change it, or delete the folder and its line in `main.ts`. */
export const items = defineModule({
  name: 'items',
  config: Type.Object({}),
  requires: [http],
  start({ use }) {
    const repository = memoryRepository();
    itemRoutes(use(http), repository, memoryIdempotency({ keys: 10_000, ttlMs: 24 * hour }));
    return { value: repository };
  },
});
