import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../../generators/engine/manifest.ts';
import type { Catalogue, Manifest, Resource } from '../../../../generators/engine/model.ts';
import { validateManifest } from '../../../../generators/engine/parseManifest.ts';
import { render } from '../../../../generators/engine/render.ts';
import { contextsOf } from '../../../../generators/engine/resources/context.ts';
import { examplesOf } from '../../../../generators/engine/resources/examples.ts';
import { parseField, valueFault } from '../../../../generators/engine/resources/fields.ts';
import { decode } from '../../../../generators/engine/text.ts';
import { parseTemplate } from '../../../../templates/parseTemplate.ts';
import { resourceCatalogue } from '../../../helpers/resourceCatalogue.ts';
import { fieldArbitrary } from '../../../helpers/resources.ts';
import { module, text, tinyCatalogue } from '../../../helpers/tinyCatalogue.ts';

const catalogue = resourceCatalogue();
const customer: Resource = {
  plural: 'customers',
  fields: { name: 'string:unique', best: 'ref(order)?' },
  created: '20261130',
};
const order: Resource = {
  plural: 'orders',
  fields: {
    sku: 'string:unique',
    status: 'enum(created,confirmed,lost)',
    customer: 'ref(customer)',
    remark: 'text?:private',
    price: 'decimal:immutable',
  },
  states: { status: 'created>confirmed:confirm, created>lost:lose, confirmed>lost:lose' },
  created: '20261130b',
  changes: {
    '20261201_orders_note': { add: ['remark'], drop: { count: 'int' } },
    '20261201b_orders_price': { alter: { price: 'int' } },
  },
};

function files(
  resources: NonNullable<Manifest['resources']>,
  modules: readonly string[] = [],
  from: Catalogue = catalogue,
) {
  const manifest = validateManifest({ ...newManifest({ name: 'shop', modules }, from), resources }, from);
  const rendered = [...render(manifest, from)].map(([path, { bytes, module: id }]) => [
    path,
    { text: decode(bytes), module: id },
  ]);
  return Object.fromEntries(rendered) as Record<string, { text: string; module: string }>;
}

describe('a service with resources', () => {
  it('has the slice of each, from the base and from its modules', () => {
    const base = files({ customer, order });
    expect(base['internal/orders/domain.ts']).toEqual({
      module: 'resource:order',
      text: 'export interface Order {\n  sku: string;\n  status: string;\n  customer: string;\n  remark?: string;\n  price: string;\n}\n',
    });
    expect(base['internal/orders/storage.ts']?.text).toContain('memory of orders');
    expect(base['docs/resources/order.md']?.text).toBe('# order\n');
    expect(base['internal/customers/states.ts']).toBeUndefined();
    expect(JSON.parse(base['api/openapi.json']?.text ?? '').paths).toMatchObject({
      '/orders': { get: { operationId: 'listOrders' } },
      '/customers': {},
    });
    const withDatabase = files({ customer, order }, ['database']);
    expect(withDatabase['internal/orders/storage.ts']?.text).toContain('table orders');
    expect(withDatabase['docs/resources/order.md']?.text).toBe('# order in a database\n');
  });

  it('lists them, whatever their order in the manifest', () => {
    const list = files({ order, customer })['internal/resources.gen.ts']?.text;
    expect(list).toContain(
      "import { customers } from './customers/module.ts';\nimport { orders } from './orders/module.ts';",
    );
    expect(list).toContain('export const resources = [customers, orders] as const;');
    expect(files({})['internal/resources.gen.ts']?.text).toContain('export const resources = [] as const;');
  });

  it('has a migration for each change, with the fields of that time', () => {
    const rendered = files({ customer, order }, ['database']);
    const migrations = Object.entries(rendered).filter(([path]) => path.startsWith('internal/migrations/'));
    expect(migrations.map(([path, file]) => [path.slice('internal/migrations/'.length), file.text])).toEqual([
      ['20261130_customers.ts', 'customers\nadd best ref orders later\nadd name string\n'],
      [
        '20261130b_orders.ts',
        'orders\nadd count int\nadd customer ref customers\nadd price int\nadd sku string\nadd status enum\nawaited customers best\n',
      ],
      ['20261201_orders_note.ts', 'orders\nadd remark text\ndrop count\n'],
      ['20261201b_orders_price.ts', 'orders\nalter price int decimal\n'],
    ]);
  });

  it('keeps the text of a migration when a resource is renamed later', () => {
    const before = files({ customer, order }, ['database']);
    const renamed = files(
      {
        client: {
          ...customer,
          plural: 'clients',
          changes: { '20261202_customers_clients': { name: 'customer', plural: 'customers' } },
        },
        order: { ...order, fields: { ...order.fields, customer: 'ref(client)' } },
      },
      ['database'],
    );
    for (const path of Object.keys(before).filter((one) => one.startsWith('internal/migrations/')))
      expect([path, renamed[path]?.text]).toEqual([path, before[path]?.text]);
    expect(renamed['internal/migrations/20261202_customers_clients.ts']?.text).toBe('clients was customers\n');
  });

  it('tells templates which fields may be written, read, filtered and sorted', () => {
    const { resource } = contextsOf('order', { customer, order });
    const names = (fields: readonly { name: string }[]): string[] => fields.map(({ name }) => name);
    expect(names(resource.writable)).toEqual(['sku', 'customer', 'remark', 'price']);
    expect(names(resource.changeable)).toEqual(['sku', 'customer', 'remark']);
    expect(names(resource.visible)).toEqual(['sku', 'status', 'customer', 'price']);
    expect(names(resource.filters)).toEqual(['sku', 'status', 'customer']);
    expect(names(resource.sortable)).toEqual(['sku']);
    expect(resource.states).toMatchObject({
      initial: 'created',
      transitions: [
        { verb: 'confirm', to: 'confirmed', from: ['created'] },
        { verb: 'lose', pascal: 'Lose', to: 'lost', from: ['created', 'confirmed'] },
      ],
    });
    expect(resource.has).toMatchObject({ decimal: true, int: false, private: true, default: false });
  });

  it.each<[Record<string, Resource>, readonly string[], string]>([
    [
      { account: { ...customer, fields: { a: 'int' }, plural: 'accounts' } },
      ['database'],
      'resource "account": the folder internal/accounts/ belongs to the module "database"',
    ],
    [
      { item: { ...customer, fields: { a: 'int' }, plural: 'items' } },
      [],
      'resource "item": the path /items belongs to every service',
    ],
    [
      { order, customer, 'order-list': { ...customer, fields: { a: 'int' }, plural: 'order-lists' } },
      [],
      'resource "order-list": the schema OrderList belongs to the resource "order"',
    ],
  ])('is refused when %j takes the place of something else', (resources, modules, message) => {
    expect(() => files(resources, modules)).toThrow(message);
  });

  it('needs a catalogue that has templates for them', () => {
    expect(() => files({ a: { ...customer, fields: { a: 'int' } } }, [], tinyCatalogue())).toThrow(
      'has no templates for resources',
    );
  });

  it('is refused when two modules bring the same file of a resource', () => {
    const twice: Catalogue = {
      ...catalogue,
      modules: {
        ...catalogue.modules,
        cache: {
          ...module('cache', [text('a.txt', 'a')]),
          resource: {
            files: [
              {
                path: parseTemplate('internal/{{resource.plural.kebab}}/storage.ts', ''),
                ownership: 'merged',
                text: 'x',
              },
            ],
            types: {},
            lists: {},
          },
        },
      },
    };
    expect(
      files({ customer: { ...customer, fields: { a: 'int' } } }, ['cache'], twice)['internal/customers/storage.ts']
        ?.text,
    ).toBe('x');
    expect(() => files({ customer: { ...customer, fields: { a: 'int' } } }, ['cache', 'database'], twice)).toThrow(
      'modules "resource:customer:cache" and "resource:customer:database" both bring internal/customers/storage.ts',
    );
  });
});

describe('examples', () => {
  it('of any field are valid, and differ', () => {
    fc.assert(
      fc.property(fieldArbitrary(), (field) => {
        const examples = examplesOf(field);
        expect(examples.length).toBeGreaterThan(0);
        for (const example of examples) expect(valueFault(field, example)).toBeUndefined();
        expect(new Set(examples.map((example) => JSON.stringify(example))).size).toBe(examples.length);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['string:pattern(^[A-Z]{3}-[0-9]{4}$)', ['AAA-0000', 'BBB-1111']],
    ['string:min(3):max(3)', ['111', '222']],
    ['string:min(12)', ['price 1aaaaa', 'price 2aaaaa']],
    ['email:min(30)', ['price1aaaaaaaaaaaa@example.com', 'price2aaaaaaaaaaaa@example.com']],
    ['int:min(7):max(7)', [7]],
    ['int:max(-5)', [-5, -6]],
    ['decimal(2,2)', ['0.5', '0.25']],
    [
      'enum(a)[]:min(2):max(3)',
      [
        ['a', 'a'],
        ['a', 'a', 'a'],
      ],
    ],
    ['string[]:max(0)', [[]]],
    ['boolean', [true, false]],
    ['string:pattern(^\\p{Lu}$)', []],
    ['string:pattern(a{9999})', []],
  ])('of %s are %j', (field, expected) => {
    expect(examplesOf(parseField('price', field))).toEqual(expected);
  });

  it('that cannot be found are asked for', () => {
    const resource = { ...customer, fields: { a: String.raw`string:pattern(^\p{Lu}$)` } };
    expect(() => files({ customer: resource })).toThrow(
      '/resources/customer/fields/a: no value is found that the field takes',
    );
    expect(
      files({ customer: { ...resource, fields: { a: String.raw`string:default(Ä):pattern(^\p{Lu}$)` } } }),
    ).toBeDefined();
  });
});
