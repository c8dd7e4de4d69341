import { describe, expect, it } from 'vitest';
import { SlipwayError } from '../../../../generators/engine/errors.ts';
import { newManifest } from '../../../../generators/engine/manifest.ts';
import type { Manifest, Resource } from '../../../../generators/engine/model.ts';
import { validateManifest } from '../../../../generators/engine/parseManifest.ts';
import {
  putResource,
  removeResource,
  renameResource,
  type ResourceRequest,
} from '../../../../generators/engine/resources/edit.ts';
import { parseFieldArgument } from '../../../../generators/engine/resources/fields.ts';
import { tinyCatalogue } from '../../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
const empty = newManifest({ name: 'shop', platformTests: true }, catalogue);
const today = '20261201';

function put(
  manifest: Manifest,
  name: string,
  fields: string,
  more: Partial<ResourceRequest> = {},
  date = today,
): Manifest {
  const given = fields.split(' ').filter((field) => field !== '');
  const edited = putResource(manifest, { name, fields: given.map(parseFieldArgument), ...more }, date);
  return validateManifest(edited.manifest, catalogue);
}

function notesOf(name: string, fields: string, more: Partial<ResourceRequest> = {}): readonly string[] {
  const given = fields.split(' ').filter((field) => field !== '');
  return putResource(orders, { name, fields: given.map(parseFieldArgument), ...more }, today).notes;
}

function resource(manifest: Manifest, name = 'order'): Resource {
  const found = manifest.resources?.[name];
  if (found === undefined) throw new Error(`${name} is not there`);
  return found;
}

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SlipwayError) return `${error.message} (${error.hint})`;
    throw error;
  }
  return '';
}

const customers = put(empty, 'customer', 'name:string', {}, '20261130');
const orders = put(
  customers,
  'Order',
  'sku:string:unique status:enum(created,confirmed,cancelled) customer:ref(customer) placed_at:datetime note:string?',
  { states: { status: 'created>confirmed, created>cancelled' } },
  '20261130',
);

describe('a resource', () => {
  it('is created with its plural, its verbs and the date', () => {
    expect(resource(orders)).toEqual({
      plural: 'orders',
      fields: {
        sku: 'string:unique',
        status: 'enum(created,confirmed,cancelled)',
        customer: 'ref(customer)',
        placedAt: 'datetime',
        note: 'string?',
      },
      states: { status: 'created>confirmed:confirm, created>cancelled:cancel' },
      // On the same day as the customer, and after it.
      created: '20261130b',
    });
    expect(Object.keys(orders)).toEqual([
      '$schema',
      'version',
      'catalogue',
      'service',
      'packageManager',
      'ci',
      'modules',
      'resources',
      'platformTests',
    ]);
  });

  it.each([
    ['order-line', 'order-lines'],
    ['person', 'people'],
    ['sales-person', 'sales-people'],
    ['status', 'statuses'],
    ['category', 'categories'],
  ])('%s has the plural %s', (name, plural) => {
    expect(resource(put(empty, name, 'a:int'), name).plural).toBe(plural);
  });

  it('gets one migration for what one command changes', () => {
    const changed = put(orders, 'order', 'tags:string[]:default([]) note:string?:max(500)', {
      drop: ['sku'],
      rename: { placedAt: 'orderedAt' },
    });
    expect(resource(changed).changes).toEqual({
      '20261201_orders_tags_without_sku_ordered_at_note': {
        add: ['tags'],
        drop: { sku: 'string:unique' },
        rename: { placedAt: 'orderedAt' },
        alter: { note: 'string?' },
      },
    });
    expect(Object.keys(resource(changed).fields)).toEqual(['status', 'customer', 'orderedAt', 'note', 'tags']);
  });

  it('gets further migrations of a day, which sort after the first', () => {
    let manifest = orders;
    for (let index = 0; index < 60; index += 1)
      manifest = put(manifest, 'order', index % 2 === 0 ? 'a:int?' : '', index % 2 === 0 ? {} : { drop: ['a'] });
    const names = Object.keys(resource(manifest).changes ?? {});
    expect(names).toHaveLength(60);
    expect(names).toEqual(names.toSorted());
    expect(names.slice(0, 3)).toEqual(['20261201_orders_a', '20261201b_orders_without_a', '20261201c_orders_a']);
    expect(names.at(-1)).toMatch(/^20261201zz[b-z]_/);
  });

  it('gets no migration when nothing of its fields changes', () => {
    expect(put(orders, 'order', 'sku:string:unique')).toEqual(orders);
    const stated = put(orders, 'order', '', { states: { status: 'created>confirmed:accept, created>cancelled' } });
    expect(resource(stated)).toEqual({
      ...resource(orders),
      states: { status: 'created>confirmed:accept, created>cancelled:cancel' },
    });
  });

  it('gets and loses a sparse list without a migration, names what callers notice, and is the same afterwards', () => {
    const sparse = put(orders, 'order', '', { sparse: true });
    expect(resource(sparse)).toEqual({ ...resource(orders), sparse: true });
    expect(resource(put(sparse, 'order', 'remark:string?')).sparse).toBe(true);
    expect(JSON.stringify(put(sparse, 'order', '', { sparse: false }))).toBe(JSON.stringify(orders));
    expect(notesOf('order', '', { sparse: true })).toEqual([expect.stringMatching(/^callers notice: .*no required/)]);
    expect(notesOf('order', '', { sparse: false })).toEqual([]);
    const back = putResource(sparse, { name: 'order', fields: [], sparse: false }, today).notes;
    expect(back).toEqual([expect.stringMatching(/^callers notice: .*ignores "fields"/)]);
    expect(resource(put(customers, 'note', 'title:string', { sparse: true }), 'note').sparse).toBe(true);
  });

  it('keeps its transitions when the field of its states is renamed, and loses them with it', () => {
    expect(resource(put(orders, 'order', '', { rename: { status: 'stage' } })).states).toEqual({
      stage: 'created>confirmed:confirm, created>cancelled:cancel',
    });
    expect(resource(put(orders, 'order', '', { drop: ['status'] })).states).toBeUndefined();
  });

  it('is renamed with all refs to it', () => {
    const { manifest } = renameResource(orders, 'customer', 'Person', undefined, today);
    expect(validateManifest(manifest, catalogue).resources).toEqual({
      order: { ...resource(orders), fields: { ...resource(orders).fields, customer: 'ref(person)' } },
      person: {
        ...resource(customers, 'customer'),
        plural: 'people',
        changes: { '20261201_customers_people': { name: 'customer', plural: 'customers' } },
      },
    });
  });

  it('may refer to one that refers to it, when a ref is optional', () => {
    expect(resource(put(orders, 'customer', 'best:ref(order)?'), 'customer').fields['best']).toBe('ref(order)?');
  });

  it('is removed without a trace', () => {
    expect(removeResource(orders, 'order')).toEqual(customers);
    expect(JSON.stringify(removeResource(customers, 'customer'))).toBe(JSON.stringify(empty));
  });

  it.each<[string, () => unknown, string]>([
    [
      'a reserved name',
      () => put(empty, 'class', 'a:int'),
      '"class" cannot be the name of a resource: "class" is a reserved word',
    ],
    ['emoji', () => put(empty, '😀', 'a:int'), 'cannot be the name of a resource'],
    ['300 characters', () => put(empty, 'a'.repeat(300), 'a:int'), 'the maximum is 40'],
    [
      'a plural',
      () => put(empty, 'orders', 'a:int'),
      '"orders" is a plural (name the resource in the singular: order)',
    ],
    ['the plural of another', () => put(orders, 'orders', 'a:int'), '"orders" is the plural of the resource "order"'],
    ['a name without another plural', () => put(empty, 'sheep', 'a:int'), 'choose another: --plural sheep-list'],
    ['no fields', () => put(empty, 'order', ''), 'resource "order" needs fields'],
    ['a field twice', () => put(empty, 'order', 'a:int a:string'), 'the field "a" is there twice'],
    [
      '60 fields and one',
      () => put(empty, 'order', Array.from({ length: 61 }, (_, index) => `a${index}:int`).join(' ')),
      'at most 60 fields',
    ],
    ['a ref to nothing', () => put(empty, 'order', 'customer:ref(customer)'), 'there is no resource "customer"'],
    [
      'an added required ref',
      () => put(put(customers, 'order', 'a:int'), 'order', 'x:int?:min(1) customer:ref(customer)'),
      'make it optional: customer:ref(customer)?',
    ],
    [
      'an added required field',
      () => put(orders, 'order', 'weight:int'),
      'the field "weight" is new and required, and there may be entities without it (give it a default(...), or make it optional: weight:int?)',
    ],
    [
      'an added unique field',
      () => put(orders, 'order', 'code:string:unique'),
      '(make it optional: code:string?:unique)',
    ],
    ['a field that becomes required', () => put(orders, 'order', 'note:string'), 'the field "note" becomes required'],
    [
      'another type',
      () => put(orders, 'order', 'placedAt:int'),
      'the field "placedAt" cannot become int: its values are datetime (add a field of another name',
    ],
    ['a list of a scalar', () => put(orders, 'order', 'note:string[]?'), 'cannot become string[]?'],
    [
      'a field that is not there to drop',
      () => put(orders, 'order', '', { drop: ['notes'] }),
      'resource "order" has no field "notes" (did you mean "note"?)',
    ],
    [
      'a field that is not there to rename',
      () => put(orders, 'order', '', { rename: { noet: 'a' } }),
      'has no field "noet"',
    ],
    [
      'a rename onto another field',
      () => put(orders, 'order', '', { rename: { note: 'sku' } }),
      'has a field "sku" already',
    ],
    [
      'a drop of a new resource',
      () => put(empty, 'ordr', '', { drop: ['a'] }),
      'there is no resource "ordr" with a field "a"',
    ],
    [
      'a state that is not reached',
      () => put(orders, 'order', 'status:enum(created,confirmed,cancelled,lost)'),
      'no transition leads from "created" to "lost"',
    ],
    [
      'states of nothing',
      () => put(orders, 'order', '', { states: { stauts: 'a>b' } }),
      'there is no field "stauts" for the states (did you mean "status"?)',
    ],
    [
      'no verb',
      () => put(empty, 'order', 'a:enum(new,active)', { states: { a: 'new>active' } }),
      'write one: new>active:activate',
    ],
    [
      'removal of one that is referred to',
      () => removeResource(orders, 'customer'),
      'resource "customer" is referred to by order.customer',
    ],
    [
      'removal of nothing',
      () => removeResource(orders, 'custmer'),
      'there is no resource "custmer" (did you mean "customer"?)',
    ],
    [
      'a rename to one that is there',
      () => renameResource(orders, 'order', 'customer', undefined, today),
      'there is a resource "customer" already',
    ],
    ['a rename to itself', () => renameResource(orders, 'order', 'order', undefined, today), 'has this name already'],
  ])('is refused: %s', (_, work, message) => {
    expect(faultOf(work)).toContain(message);
  });

  it.each<[string, () => readonly string[], string[]]>([
    ['a removed field', () => notesOf('order', '', { drop: ['note'] }), ['callers notice: "note" is no longer there']],
    [
      'a renamed field',
      () => notesOf('order', '', { rename: { note: 'remark' } }),
      ['callers notice: "note" is now "remark"'],
    ],
    ['a wider type', () => notesOf('order', 'note:text?'), ['callers notice: "note" is now text, not string']],
    [
      'a field that is optional now',
      () => notesOf('order', 'placedAt:datetime?'),
      ['callers notice: "placedAt" may be absent'],
    ],
    [
      'a field that is private now',
      () => notesOf('order', 'note:string?:private'),
      ['callers notice: "note" is no longer in replies'],
    ],
    ['a new optional field', () => notesOf('order', 'weight:int?'), []],
    [
      'another plural',
      () => notesOf('order', '', { plural: 'purchases' }),
      ['callers notice: the path is now /purchases, not /orders'],
    ],
  ])('says what callers notice of %s', (_, work, notes) => {
    expect(work()).toEqual(notes);
  });
});
