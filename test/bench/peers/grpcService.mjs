// The service as it comes, with the example's items by gRPC, and one item in them.
import { modules } from '../../internal/platform/app/modules.gen.js';
import { run } from '../../internal/platform/app/run.js';
import { itemsByGrpc } from '../../internal/items/grpc/module.js';
import { items } from '../../internal/items/module.js';

const seed = {
  name: 'seed',
  config: itemsByGrpc.config,
  requires: [items],
  async start({ use }) {
    await use(items).add({
      id: '00000000-0000-4000-8000-000000000000',
      name: 'bolt',
      quantity: 3,
      createdAt: new Date(0),
    });
    return { value: undefined };
  },
};
await run([...modules, items, itemsByGrpc, seed]);
