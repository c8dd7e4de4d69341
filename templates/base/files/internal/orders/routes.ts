import { Type } from 'typebox';
import { IdempotencyHeaders, type IdempotencyStore, once } from '../platform/http/idempotency.ts';
import { noContent, problems, ref } from '../platform/http/problems.ts';
import type { Http } from '../platform/http/server.ts';
import { acceptedVersions, Id, IfMatch, page, paging, requiredVersions, tagged } from '../platform/resource/http.ts';
import { anOrder, NewOrder, Order, OrderChanges, type OrderTransition } from './domain.ts';
import type { OrderService } from './service.ts';

const OrderList = Type.Object(
  {
    items: Type.Array(ref(Order)),
    next: Type.Optional(Type.String({ description: 'Cursor of the next page; missing on the last page' })),
  },
  { $id: 'OrderList', description: 'A page of orders', examples: [{ items: [anOrder] }] },
);

/**
 * @param http the API's server
 * @param orders the use cases
 * @param idempotency remembers the replies to requests with an Idempotency-Key
 */
export function orderRoutes(http: Http, orders: OrderService, idempotency: IdempotencyStore): void {
  for (const schema of [NewOrder, OrderChanges, Order, OrderList]) http.addSchema(schema);
  const tags = ['orders'];

  http.post(
    '/orders',
    {
      schema: {
        operationId: 'createOrder',
        summary: 'Create an order',
        tags,
        headers: IdempotencyHeaders,
        body: ref(NewOrder),
        response: { 201: ref(Order), ...problems },
      },
    },
    async (request, reply) => {
      const order = await once(idempotency, request, Order, () => orders.create(request.body));
      return tagged(reply.code(201).header('location', `/orders/${order.id}`), order);
    },
  );

  http.get(
    '/orders',
    {
      schema: {
        operationId: 'listOrders',
        summary: 'List orders',
        tags,
        querystring: Type.Object({
          ...paging(['createdAt', 'sku']),
          sku: Type.Optional(NewOrder.properties.sku),
        }),
        response: { 200: ref(OrderList), ...problems },
      },
    },
    ({ query }) => page(query, orders.list),
  );

  http.get(
    '/orders/:id',
    {
      schema: {
        operationId: 'getOrder',
        summary: 'Get an order',
        tags,
        params: Id,
        response: { 200: ref(Order), ...problems },
      },
    },
    async ({ params: { id } }, reply) => tagged(reply, await orders.get(id)),
  );

  http.patch(
    '/orders/:id',
    {
      schema: {
        operationId: 'changeOrder',
        summary: 'Change an order',
        tags,
        params: Id,
        headers: IfMatch,
        body: ref(OrderChanges),
        response: { 200: ref(Order), ...problems },
      },
    },
    async ({ params: { id }, headers, body }, reply) =>
      tagged(reply, await orders.change(id, body, requiredVersions(headers))),
  );

  http.delete(
    '/orders/:id',
    {
      schema: {
        operationId: 'deleteOrder',
        summary: 'Delete an order',
        tags,
        params: Id,
        headers: IfMatch,
        response: { ...noContent, ...problems },
      },
    },
    async ({ params: { id }, headers }, reply) => {
      await orders.remove(id, requiredVersions(headers));
      reply.code(204);
    },
  );

  const move = (transition: OrderTransition, operationId: string, summary: string): void => {
    http.post(
      `/orders/:id/${transition}`,
      {
        schema: {
          operationId,
          summary,
          tags,
          params: Id,
          headers: IfMatch,
          response: { 200: ref(Order), ...problems },
        },
      },
      async ({ params: { id }, headers }, reply) =>
        tagged(reply, await orders.move(id, transition, acceptedVersions(headers))),
    );
  };
  move('confirm', 'confirmOrder', 'Confirm an order');
  move('ship', 'shipOrder', 'Ship an order');
  move('return', 'returnOrder', 'Return an order');
  move('cancel', 'cancelOrder', 'Cancel an order');
}
