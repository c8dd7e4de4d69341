import { Type } from 'typebox';
import { noContent, problems, ref } from '../platform/http/problems.ts';
import type { Http } from '../platform/http/server.ts';
import { filter, Id, IfMatch, page, paging, queryOf, requiredVersions, tagged } from '../platform/resource/http.ts';
import { IdempotencyHeaders, type IdempotencyStore, once } from '../platform/resource/idempotency.ts';
import { NewItem, Item, ItemChanges } from './domain.ts';
import { aNewItem, anItem } from './examples.ts';
import type { ItemService } from './service.ts';

const ItemList = Type.Object(
  {
    items: Type.Array(ref(Item)),
    next: Type.Optional(Type.String({ description: 'Cursor of the next page; missing on the last page' })),
  },
  {
    $id: 'ItemList',
    description: 'A page of items',
    examples: [{ items: [anItem] }],
  },
);

/**
 * @param http the API's server
 * @param service the use cases
 * @param idempotency remembers the replies to requests with an Idempotency-Key
 */
export function itemRoutes(http: Http, service: ItemService, idempotency: IdempotencyStore): void {
  http.addSchema({ ...NewItem, examples: [aNewItem] });
  http.addSchema(ItemChanges);
  http.addSchema({ ...Item, examples: [anItem] });
  http.addSchema(ItemList);
  const config = { resource: 'items' };
  const tags = [config.resource];
  const one = { tags, params: Id, response: { 200: ref(Item), ...problems } };

  http.post(
    '/items',
    {
      config,
      schema: {
        operationId: 'createItem',
        summary: 'Create an item',
        tags,
        headers: IdempotencyHeaders,
        body: ref(NewItem),
        response: { 201: ref(Item), ...problems },
      },
    },
    async (request, reply) => {
      const created = await once(idempotency, request, Item, () => service.create(request.body));
      // In the version of the API that the path names.
      reply.code(201).header('location', `${request.routeOptions.url}/${created.id}`);
      return tagged(reply, created);
    },
  );

  http.get(
    '/items',
    {
      config,
      schema: {
        operationId: 'listItems',
        summary: 'List items',
        tags,
        querystring: queryOf({
          ...paging(['createdAt', 'name']),
          name: filter(Item.properties.name),
        }),
        response: { 200: ref(ItemList), ...problems },
      },
    },
    ({ query }) => page(query, service.list),
  );

  http.get(
    '/items/:id',
    {
      config,
      schema: { operationId: 'getItem', summary: 'Get an item', ...one },
    },
    async ({ params: { id } }, reply) => tagged(reply, await service.get(id)),
  );

  http.patch(
    '/items/:id',
    {
      config,
      schema: {
        operationId: 'changeItem',
        summary: 'Change an item',
        ...one,
        headers: IfMatch,
        body: ref(ItemChanges),
      },
    },
    async ({ params: { id }, headers, body }, reply) =>
      tagged(reply, await service.change(id, body, requiredVersions(headers))),
  );

  http.delete(
    '/items/:id',
    {
      config,
      schema: {
        operationId: 'deleteItem',
        summary: 'Delete an item',
        tags,
        params: Id,
        headers: IfMatch,
        response: { ...noContent, ...problems },
      },
    },
    async ({ params: { id }, headers }, reply) => {
      await service.remove(id, requiredVersions(headers));
      reply.code(204);
    },
  );
}
