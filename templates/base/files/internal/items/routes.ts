import { randomUUID } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { notFound } from '../../pkg/errors/index.ts';
import { decodeCursor, encodeCursor } from '../platform/http/cursor.ts';
import { IdempotencyHeaders, type IdempotencyStore, once } from '../platform/http/idempotency.ts';
import { problems, ref } from '../platform/http/problems.ts';
import type { Http } from '../platform/http/server.ts';
import { type Item, type ItemRepository, type Position, createItem } from './domain.ts';

const NewItem = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200, pattern: String.raw`\S` }),
    quantity: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  },
  {
    $id: 'NewItem',
    description: 'The fields of a new item',
    additionalProperties: false,
    examples: [{ name: 'anchor', quantity: 3 }],
  },
);

const anItem = {
  id: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55',
  name: 'anchor',
  quantity: 3,
  createdAt: '2026-01-02T03:04:05.000Z',
};

const ItemView = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    name: Type.String(),
    quantity: Type.Integer(),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Item', description: 'An item', examples: [anItem] },
);

const ItemList = Type.Object(
  {
    items: Type.Array(ref(ItemView)),
    next: Type.Optional(Type.String({ description: 'Cursor of the next page; missing on the last page' })),
  },
  { $id: 'ItemList', description: 'A page of items, newest first', examples: [{ items: [anItem] }] },
);

/** A cursor holds milliseconds since 1970 and an id. */
const Cursor = Type.Tuple([Type.Integer({ minimum: 0, maximum: 8.64e15 }), Type.String()]);

const defaultLimit = 20;

/**
 * @param http the API's server
 * @param repository of the items
 * @param idempotency remembers the replies to requests with an Idempotency-Key
 */
export function itemRoutes(http: Http, repository: ItemRepository, idempotency: IdempotencyStore): void {
  http.addSchema(NewItem);
  http.addSchema(ItemView);
  http.addSchema(ItemList);

  http.post(
    '/items',
    {
      schema: {
        operationId: 'createItem',
        summary: 'Create an item',
        tags: ['items'],
        headers: IdempotencyHeaders,
        body: ref(NewItem),
        response: { 201: ref(ItemView), ...problems },
      },
    },
    async (request, reply) => {
      const created = await once(idempotency, request, ItemView, async () => {
        const item = createItem(request.body, randomUUID(), new Date());
        await repository.add(item);
        return view(item);
      });
      return reply.code(201).header('location', `/items/${created.id}`).send(created);
    },
  );

  http.get(
    '/items/:id',
    {
      schema: {
        operationId: 'getItem',
        summary: 'Get an item',
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
        summary: 'List items',
        tags: ['items'],
        querystring: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: defaultLimit })),
          cursor: Type.Optional(Type.String({ description: '`next` of the previous page' })),
          name: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the name, in any case' })),
        }),
        response: { 200: ref(ItemList), ...problems },
      },
    },
    async ({ query: { limit = defaultLimit, cursor, name } }) => {
      const after = cursor === undefined ? undefined : positionOf(cursor);
      // One item more than requested shows whether there is a next page.
      const found = await repository.list({ limit: limit + 1, ...(after && { after }), ...(name && { name }) });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return {
        items: items.map(view),
        ...(last && found.length > limit && { next: encodeCursor([last.createdAt.getTime(), last.id]) }),
      };
    },
  );
}

function positionOf(cursor: string): Position {
  const [createdAt, id] = decodeCursor(Cursor, cursor);
  return { createdAt: new Date(createdAt), id };
}

function view(item: Item): Static<typeof ItemView> {
  return { ...item, createdAt: item.createdAt.toISOString() };
}
