import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { memoryRepository } from './repository.ts';
import { itemRoutes } from './routes.ts';

/** Example of a domain slice: items in stock. It is yours: change it, or delete the folder and its line in `main.ts`. */
export const items = defineModule({
  name: 'items',
  config: Type.Object({}),
  requires: [http],
  start({ use }) {
    itemRoutes(use(http), memoryRepository());
    return { value: undefined };
  },
});
