import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlipwayError } from '../../../../generators/engine/errors.ts';
import { newManifest } from '../../../../generators/engine/manifest.ts';
import { manifestSchema } from '../../../../generators/engine/manifestSchema.ts';
import type { Resource } from '../../../../generators/engine/model.ts';
import { validateManifest } from '../../../../generators/engine/parseManifest.ts';
import { printField } from '../../../../generators/engine/resources/fields.ts';
import { historyOf } from '../../../../generators/engine/resources/history.ts';
import { resourcesArbitrary } from '../../../helpers/resources.ts';
import { tinyCatalogue } from '../../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
const manifest = newManifest({ name: 'shop' }, catalogue);

const customer: Resource = { plural: 'customers', fields: { name: 'string' }, created: '20261130' };
const order: Resource = {
  plural: 'orders',
  fields: {
    sku: 'string:unique',
    status: 'enum(created,confirmed,shipped,cancelled)',
    customer: 'ref(customer)',
    note: 'string?',
  },
  states: { status: 'created>confirmed:confirm, confirmed>shipped:ship, created>cancelled:cancel' },
  created: '20261130',
  changes: { '20261201_orders_note': { add: ['note'] } },
};

function faultsOf(resources: unknown): string {
  try {
    validateManifest({ ...manifest, resources }, catalogue);
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
  return '';
}

describe('resources of a manifest', () => {
  it('are taken, and fit the schema that editors use', () => {
    expect(faultsOf({ customer, order })).toBe('');
    const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(manifestSchema(catalogue));
    expect(validate({ ...manifest, resources: { customer, order } })).toBe(true);
    expect(validate({ ...manifest, resources: { customer: { ...customer, fields: [] } } })).toBe(false);
  });

  it('of any fields are taken', () => {
    fc.assert(
      fc.property(resourcesArbitrary(printField), (resources) => {
        expect(faultsOf(resources)).toBe('');
      }),
    );
  });

  it('of any content are taken, or refused with an error for the user', () => {
    const hostile = fc.dictionary(
      fc.constantFrom('order', 'Order', '__proto__', 'a/b', ''),
      fc.oneof(
        fc.jsonValue(),
        fc.record(
          {
            plural: fc.oneof(fc.jsonValue(), fc.constantFrom('orders', 'order')),
            fields: fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.jsonValue(), fc.constant('string'))),
            created: fc.oneof(fc.jsonValue(), fc.constant('20261130')),
            states: fc.dictionary(fc.string(), fc.string()),
            changes: fc.dictionary(
              fc.oneof(fc.string(), fc.constant('20261201_orders_x')),
              fc.record(
                {
                  add: fc.array(fc.string()),
                  drop: fc.dictionary(fc.string(), fc.string()),
                  rename: fc.dictionary(fc.string(), fc.string()),
                  alter: fc.dictionary(fc.string(), fc.constant('int')),
                  plural: fc.string(),
                },
                { requiredKeys: [] },
              ),
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    );
    fc.assert(fc.property(hostile, (resources) => typeof faultsOf(resources) === 'string'));
  });

  it.each<[Record<string, unknown>, string]>([
    [{ Order: order, customer }, '/resources/Order: use words of lower-case letters'],
    [{ class: customer }, '/resources/class: "class" is a reserved word'],
    [{ customer: { ...customer, plural: 'customer' } }, '/resources/customer/plural: the plural equals the name'],
    [{ customer: { ...customer, plural: 'platform' } }, '/resources/customer/plural: "platform" has another meaning'],
    [
      { customer, customers: { ...customer, plural: 'x' } },
      '/resources/customers: "customers" is also a name of the resource "customer"',
    ],
    [{ customer: { ...customer, created: '20261330' } }, '/resources/customer/created: write a date'],
    [
      { customer: { ...customer, colour: 1 } },
      '/resources/customer/colour: unknown key "colour" in /resources/customer',
    ],
    [{ customer: { ...customer, plurl: 'x' } }, 'did you mean "plural"?'],
    [{ customer: { ...customer, fields: {} } }, '/resources/customer/fields: a resource needs a field'],
    [
      { customer: { ...customer, fields: { a: 'strin' } } },
      '/resources/customer/fields/a: field "a", character 1: there is no type "strin" (did you mean "string"?)',
    ],
    [
      { customer: { ...customer, fields: { a: 'string:optional' } } },
      '/resources/customer/fields/a: write it as "string?"',
    ],
    [
      { customer: { ...customer, fields: { id: 'int' } } },
      '/resources/customer/fields/id: every resource has the field "id" already',
    ],
    [{ customer: { ...customer, fields: { 'a/b': 'int' } } }, '/resources/customer/fields/a~1b: use letters'],
    [{ customer: { ...customer, fields: { limit: 'int:indexed' } } }, '/fields/limit: "limit" is a parameter'],
    [{ order }, '/resources/order/fields/customer: there is no resource "customer" (known: order)'],
    [
      { customer: { ...customer, fields: { boss: 'ref(customer)' } } },
      '/resources/customer/fields/boss: the first one could refer to nothing',
    ],
    [
      { customer: { ...customer, fields: { best: 'ref(order)' } }, order },
      'resources refer to each other in a circle: customer → order → customer',
    ],
    [
      { customer, order: { ...order, states: { state: 'a>b:c' } } },
      '/resources/order/states/state: there is no field "state" (did you mean "status"?)',
    ],
    [{ customer, order: { ...order, states: { note: 'a>b:c' } } }, 'states of "note": the field is no required enum'],
    [
      { customer, order: { ...order, states: { status: 'created>confirmd:confirm' } } },
      'there is no state "confirmd" (did you mean "confirmed"?)',
    ],
    [
      { customer, order: { ...order, states: { status: 'created>confirmed:confirm' } } },
      'no transition leads from "created" to "shipped", "cancelled"',
    ],
    [{ customer, order: { ...order, states: { status: 'created>confirmed' } } }, 'no transition leads'],
    [
      { customer, order: { ...order, states: { status: 'created>confirmed>shipped, created>cancelled' } } },
      'write it as "created>confirmed:confirm, confirmed>shipped:ship, created>cancelled:cancel"',
    ],
    [
      { customer, order: { ...order, states: { status: 'created>confirmed:go, created>cancelled:go' } } },
      '"go" leads to "confirmed" and to "cancelled"',
    ],
    [
      { customer, order: { ...order, states: { status: 'confirmed>created:create' } } },
      'every resource has "create" already',
    ],
    [
      { customer, order: { ...order, states: { status: 'created>confirmed:changed, created>cancelled' } } },
      'every resource has "changed" already',
    ],
    [{ customer, order: { ...order, states: { status: 'created>created:x' } } }, 'leads to where it begins'],
    [{ customer, order: { ...order, states: { status: '' } } }, '"" is no transition'],
    [{ customer: { ...customer, changes: { x: { add: ['name'] } } } }, '/resources/customer/changes/x: name it as'],
    [
      { customer: { ...customer, changes: { '20261201_customers_a': { add: ['age'] } } } },
      '/changes/20261201_customers_a: it adds "age", which is not there after it',
    ],
    [
      { customer: { ...customer, changes: { '20261201_customers_a': { drop: { name: 'int' } } } } },
      '"name" is still there after it',
    ],
    [{ customer: { ...customer, changes: { '20261201_customers_a': { alter: { age: 'int' } } } } }, 'it alters "age"'],
    [
      { customer: { ...customer, changes: { '20261201_customers_a': { rename: { a: 'b' } } } } },
      'it renames "a" to "b"',
    ],
    [
      { customer: { ...customer, changes: { '20261201_customers_a': { drop: { age: 'in' } } } } },
      '/changes/20261201_customers_a/drop/age: field "age"',
    ],
    [
      { customer: { ...customer, changes: { '20261129_customers_a': { add: ['name'] } } } },
      'it comes before 20261130_customers',
    ],
    [
      { customer: { ...customer, changes: { '20261130_customers': { add: ['name'] } } } },
      'it comes before 20261130_customers',
    ],
  ])('are refused: %j', (resources, message) => {
    expect(faultsOf(resources)).toContain(message);
  });

  it('have at most 60 fields, and there are at most 200 of them', () => {
    const fields = Object.fromEntries(Array.from({ length: 61 }, (_, index) => [`a${index}`, 'int']));
    expect(faultsOf({ customer: { ...customer, fields } })).toContain('at most 60 fields; given: 61');
    const names = Array.from({ length: 201 }, (_, index) => `x${index}`);
    const many = Object.fromEntries(names.map((name) => [name, { ...customer, plural: `${name}s` }]));
    expect(faultsOf(many)).toContain('/resources: holds more than 200; given: 201');
  });
});

describe('the history of a resource', () => {
  it('has the fields after each migration, whatever their order is now', () => {
    const changed: Resource = {
      plural: 'clients',
      fields: { tags: 'string[]', label: 'string?' },
      created: '20261130',
      changes: {
        '20261201_customers_tags': { add: ['tags'], drop: { age: 'int' } },
        '20261201b_customers_label': { rename: { name: 'label' } },
        '20261202_customers_label': { alter: { label: 'string' } },
        '20261202b_customers_clients': { name: 'customer', plural: 'customers' },
      },
    };
    const history = historyOf('client', changed);
    expect(history).toMatchObject({
      revisions: [
        {
          name: '20261130_customers',
          resource: 'customer',
          plural: 'customers',
          fields: { age: 'int', name: 'string' },
        },
        { name: '20261201_customers_tags', fields: { name: 'string', tags: 'string[]' } },
        { name: '20261201b_customers_label', fields: { label: 'string', tags: 'string[]' } },
        { name: '20261202_customers_label', plural: 'customers', fields: { label: 'string?', tags: 'string[]' } },
        { name: '20261202b_customers_clients', resource: 'client', plural: 'clients' },
      ],
    });
    const reversed = Object.fromEntries(Object.entries(changed.fields).toReversed());
    expect(JSON.stringify(historyOf('client', { ...changed, fields: reversed }))).toBe(JSON.stringify(history));
  });
});
