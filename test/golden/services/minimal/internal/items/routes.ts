import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { notFound } from '../../pkg/errors/index.ts';
import { problems, ref } from '../http/openapi.ts';
import type { Http } from '../http/server.ts';
import { type Item, type ItemRepository, createItem } from './domain.ts';

const NewItem = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200, pattern: String.raw`\S` }),
    quantity: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  },
  { $id: 'NewItem', additionalProperties: false },
);

const ItemView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    quantity: Type.Integer(),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Item', description: 'An item' },
);

const ItemList = Type.Object({ items: Type.Array(ref(ItemView)) }, { description: 'Items, the newest first' });

const defaultLimit = 20;

/**
 * @param http the API's server
 * @param repository where items are kept
 */
export function itemRoutes(http: Http, repository: ItemRepository): void {
  http.addSchema(NewItem);
  http.addSchema(ItemView);

  http.post(
    '/items',
    {
      schema: {
        operationId: 'createItem',
        tags: ['items'],
        body: ref(NewItem),
        response: { 201: ref(ItemView), ...problems },
      },
    },
    async (request, reply) => {
      const item = createItem(request.body, randomUUID(), new Date());
      await repository.add(item);
      return reply.code(201).header('location', `/items/${item.id}`).send(view(item));
    },
  );

  http.get(
    '/items/:id',
    {
      schema: {
        operationId: 'getItem',
        tags: ['items'],
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        response: { 200: ref(ItemView), ...problems },
      },
    },
    async ({ params: { id } }) => {
      const item = await repository.find(id);
      if (item === undefined) throw notFound('item', id);
      return view(item);
    },
  );

  http.get(
    '/items',
    {
      schema: {
        operationId: 'listItems',
        tags: ['items'],
        querystring: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: defaultLimit })),
        }),
        response: { 200: ItemList, ...problems },
      },
    },
    async ({ query: { limit = defaultLimit } }) => ({ items: (await repository.list(limit)).map(view) }),
  );
}

function view(item: Item): Static<typeof ItemView> {
  return { ...item, createdAt: item.createdAt.toISOString() };
}
