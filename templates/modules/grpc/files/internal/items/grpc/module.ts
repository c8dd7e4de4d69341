import { Type } from 'typebox';
import { defineModule } from '../../platform/app/module.ts';
import { grpc } from '../../platform/grpc/module.ts';
import { items } from '../module.ts';
import { serveItems } from './service.ts';

/** Example of a gRPC service: the same items as REST. It is yours: change it, or delete the folder. */
export const itemsByGrpc = defineModule({
  name: 'itemsByGrpc',
  config: Type.Object({}),
  requires: [grpc, items],
  start({ use }) {
    serveItems(use(grpc), use(items));
    return { value: undefined };
  },
});
