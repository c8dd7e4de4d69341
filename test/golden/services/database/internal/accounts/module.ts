import { Type } from 'typebox';
import { defineModule } from '../platform/app/module.ts';
import { postgres } from '../platform/postgres/module.ts';
import { type Tables, postgresRepository } from './repository.ts';

/** Example of a domain slice on the database: accounts of money. It is yours: change it, or delete it. */
export const accounts = defineModule({
  name: 'accounts',
  config: Type.Object({}),
  requires: [postgres],
  start: ({ use }) => ({ value: postgresRepository(use(postgres).tables<Tables>()) }),
});
