import type { operations } from '../../../pkg/client/index.ts';
import { linksOf } from './linksOf.ts';

/** The API's own relations, such as `api:create`, and the meaning of each. */
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
    // Only when it is sold out: items of a similar name, and the way to restock.
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

/** The links of this API. Change them as you need; remove those of the example when you delete `internal/items/`. */
export const links = [item, items];
