import { type Static, Type } from 'typebox';
import { conflict } from '../../pkg/errors/index.ts';
import { decimal, instant, mergePatch, outside, patchOf, type Repository } from '../../pkg/resource/index.ts';
import { assertValid, invalid } from '../../pkg/validation/index.ts';

/** Examples for the contract and for tests. */
export const aNewOrder = {
  sku: 'sku',
  quantity: 1,
  price: '9.95',
  customer: '0b9d6ea0-5a0e-4b9c-9f43-2d9b5a1f6a55',
  placedAt: '2026-01-02T03:04:05.000Z',
  tags: ['tag'],
};
export const anOrder = {
  id: '5f0c3b1e-8f0e-4a66-9b8e-3c1d2e4f5a6b',
  version: 1,
  ...aNewOrder,
  status: 'created',
  createdAt: '2026-01-02T03:04:05.000Z',
  updatedAt: '2026-01-02T03:04:05.000Z',
} as const;

/** The fields of a new order, with their rules. */
export const NewOrder = Type.Object(
  {
    sku: Type.String({ minLength: 1, maxLength: 200, pattern: String.raw`\S` }),
    quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    price: Type.String({ pattern: String.raw`^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,4})?$` }),
    customer: Type.String({ format: 'uuid' }),
    placedAt: Type.String({ format: 'date-time' }),
    note: Type.Optional(Type.String({ maxLength: 200 })),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 100 }),
  },
  {
    $id: 'NewOrder',
    description: 'The fields of a new order',
    additionalProperties: false,
    examples: [aNewOrder],
  },
);
export type NewOrder = Static<typeof NewOrder>;

/** The fields of an order that change, as a merge patch (RFC 7396). */
export const OrderChanges = patchOf(NewOrder, ['sku', 'quantity', 'price', 'customer', 'placedAt', 'note', 'tags'], {
  $id: 'OrderChanges',
  description: 'The fields of an order that change; null removes an optional one (RFC 7396)',
  examples: [{ sku: 'sku' }],
});
export type OrderChanges = Static<typeof OrderChanges>;

/** An order. */
export const Order = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    version: Type.Integer({ minimum: 1, description: 'Counts the changes' }),
    ...NewOrder.properties,
    status: Type.Enum(['created', 'confirmed', 'shipped', 'returned', 'cancelled']),
    createdAt: Type.String({ format: 'date-time' }),
    updatedAt: Type.String({ format: 'date-time' }),
  },
  { $id: 'Order', description: 'An order', examples: [anOrder] },
);
export type Order = Readonly<Static<typeof Order>>;

/** Stores orders. */
export type OrderRepository = Repository<Order>;

/** How the status of an order changes: from which states, to which state. */
const transitions = {
  confirm: { from: ['created'], to: 'confirmed' },
  ship: { from: ['confirmed'], to: 'shipped' },
  return: { from: ['shipped'], to: 'returned' },
  cancel: { from: ['created'], to: 'cancelled' },
} as const satisfies Record<string, { from: readonly Order['status'][]; to: Order['status'] }>;
export type OrderTransition = keyof typeof transitions;

/**
 * @param fields chosen by the caller
 * @param id a new id
 * @param now time of creation
 * @returns the first version of an order
 * @throws {ServiceError} 400 that names the fields that break a rule
 */
export function createOrder(fields: NewOrder, id: string, now: Date): Order {
  const at = now.toISOString();
  return { ...checked(fields), id, version: 1, status: 'created', createdAt: at, updatedAt: at };
}

/**
 * @param order as it is stored
 * @param changes chosen by the caller
 * @param now time of the change
 * @returns the next version
 * @throws {ServiceError} 400 that names the fields that break a rule
 */
export function changeOrder(order: Order, changes: OrderChanges, now: Date): Order {
  const { id, version, status, createdAt, updatedAt: _, ...fields } = order;
  return next({ ...checked(mergePatch(fields, changes)), id, version, status, createdAt, updatedAt: createdAt }, now);
}

/**
 * @param order as it is stored
 * @param name of the transition
 * @param now time of the change
 * @returns the next version, in the new state
 * @throws {ServiceError} 409 `invalid_transition` when the order is in another state
 */
export function moveOrder(order: Order, name: OrderTransition, now: Date): Order {
  const { from, to } = transitions[name];
  if (!from.some((state) => state === order.status)) {
    const details = { status: order.status, from };
    throw conflict(`An order that is ${order.status} cannot be ${to}.`, { code: 'invalid_transition', details });
  }
  return next({ ...order, status: to }, now);
}

function next(order: Order, now: Date): Order {
  return { ...order, version: order.version + 1, updatedAt: now.toISOString() };
}

/** @returns the fields in their only form */
function checked(given: unknown): NewOrder {
  assertValid(NewOrder, given);
  const fields = { ...given, price: decimal(given.price), placedAt: instant('placedAt', given.placedAt) };
  const faults = [...outside('price', fields.price, { min: '0' })];
  if (faults.length > 0) throw invalid(faults);
  return fields;
}
