import type { operations } from '../../../pkg/client/index.ts';
import { linksOf } from './linksOf.ts';

/** Relations of this API's own, `api:create` say, and what each means to whoever meets it in a link. */
export const relations = {
  create: 'POST here makes a new one',
  restock: 'POST here adds more of what is sold out, as an item of its own',
} as const;

const { collection, resource, template, to } = linksOf<operations, keyof typeof relations>();

const item = resource('getItem', {
  self: ({ id }) => ({ path: { id } }),
  alsoIn: ['createItem'],
  links: {
    collection: to('listItems'),
    // Only of one that is sold out: those of a like name, and what can be done about it.
    related: to('listItems', ({ name, quantity }) => quantity === 0 && { query: { name } }),
    'api:restock': to('createItem', ({ quantity }) => quantity === 0 && {}),
  },
});

const items = collection('listItems', {
  member: 'items',
  of: item,
  links: {
    search: template('listItems', ['name', 'limit']),
    'api:create': to('createItem'),
  },
});

/** The links of this API. They are yours: change them, and take out those of the example when you delete `internal/items/`. */
export const links = [item, items];
