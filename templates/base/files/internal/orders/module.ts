import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { memoryIdempotency } from '../platform/http/idempotency.ts';
import { http } from '../platform/http/module.ts';
import { orderRoutes } from './routes.ts';
import { orderService } from './service.ts';
import { storage } from './storage.ts';

const hour = 3_600_000;

/** Orders: `use(orders)` gives their use cases to other slices. */
export const orders = defineModule({
  name: 'orders',
  config: Type.Object({}),
  requires: [http, storage.module],
  start({ use }) {
    const service = orderService(storage.open(use(storage.module)));
    orderRoutes(use(http), service, memoryIdempotency({ keys: 10_000, ttlMs: 24 * hour }));
    return { value: service };
  },
});
