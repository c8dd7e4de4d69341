import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { http } from '../platform/http/module.ts';
import { itemRoutes } from './routes.ts';
import { itemService } from './service.ts';
import { storage } from './storage.ts';

/** Items: `use(items)` gives their use cases to other slices. */
export const items = defineModule({
  name: 'items',
  config: Type.Object({}),
  requires: [http, storage.module],
  start({ use }) {
    const database = use(storage.module);
    const service = itemService(storage.repository(database));
    itemRoutes(use(http), service, storage.idempotency(database));
    return { value: service };
  },
});
