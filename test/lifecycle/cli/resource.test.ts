import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, it, vi } from 'vitest';
import { treeOf } from '../../helpers/cli.ts';
import { expectFault } from '../../helpers/expectFault.ts';
import { resourceService } from '../../helpers/resourceService.ts';
import { newService } from '../service.ts';

vi.setConfig({ testTimeout: 60_000 });

const order = [
  'resource',
  'order',
  'sku:string:unique',
  'status:enum(created,paid,lost)',
  '--states',
  'status',
  'created>paid, created>lost:lose',
];

describe('slipway resource', () => {
  it('creates, changes, renames and removes a slice, and leaves nothing behind', () => {
    using made = resourceService();
    const before = treeOf(made.root);
    const manifest = (): { resources?: Record<string, { fields: object; states: object; changes: object }> } =>
      JSON.parse(readFileSync(path.join(made.root, 'slipway.json'), 'utf8'));
    expect(made.run(...order, '--dry-run').exitCode).toBe(0);
    expect(treeOf(made.root)).toEqual(before);

    expect(made.run(...order, '--no-install')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(manifest().resources?.['order']).toMatchObject({
      plural: 'orders',
      states: { status: 'created>paid:pay, created>lost:lose' },
      created: expect.stringMatching(/^\d{8}$/),
    });
    expect(readFileSync(path.join(made.root, 'internal/resources.gen.ts'), 'utf8')).toContain('[orders]');
    expect(made.run('list').stdout).toMatch(/order +orders +sku, status/);
    expect(made.run('check').exitCode).toBe(0);
    expect(made.run('explain', 'internal/orders/domain.ts').stdout).toContain('from resource:order');

    const edited = path.join(made.root, 'internal/orders/domain.ts');
    writeFileSync(edited, `${readFileSync(edited, 'utf8')}\n// Mine.\n`);
    const added = made.run('resource', 'order', 'note:string?', '--no-install');
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(edited, 'utf8')).toMatch(/note\?: string;\n\}\n\n\/\/ Mine\.\n$/);

    const dropped = made.run('resource', 'order', '--drop=note', '--no-install');
    expect(dropped.stdout).toContain('callers notice: "note" is no longer there');
    expect(Object.keys(manifest().resources?.['order']?.changes ?? {})).toHaveLength(2);

    const renamed = made.run('resource', 'order', '--rename=purchase', '--no-install');
    expect(renamed).toMatchObject({ exitCode: 0, stderr: '' });
    const moved = path.join(made.root, 'internal/purchases/domain.ts');
    expect(readFileSync(moved, 'utf8')).toContain('export interface Purchase');
    expect(readFileSync(moved, 'utf8')).toContain('// Mine.');
    expect(Object.keys(treeOf(made.root)).filter((file) => file.startsWith('internal/orders/'))).toEqual([]);

    expectFault(made.run('resource', 'orders', '--remove'), 2, 'there is no resource "orders"');
    writeFileSync(moved, readFileSync(moved, 'utf8').replace('\n// Mine.\n', ''));
    expect(made.run('resource', '--remove', 'purchase', '--no-install')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(treeOf(made.root)).toEqual(before);
  });

  it('makes a list sparse, and back, and names what callers notice', () => {
    using made = resourceService();
    expect(made.run(...order, '--no-install').exitCode).toBe(0);
    const before = treeOf(made.root);
    const sparse = made.run('resource', 'order', '--sparse', '--no-install');
    expect(sparse.stdout).toContain('callers notice: in the contract, entries of GET /orders have no required field');
    expect(readFileSync(path.join(made.root, 'internal/orders/sparse.ts'), 'utf8')).toBe('fields\n');
    expect(made.run('check').exitCode).toBe(0);
    const back = made.run('resource', 'order', '--no-sparse', '--no-install');
    expect(back.stdout).toContain('callers notice: GET /orders ignores "fields"');
    expect(treeOf(made.root)).toEqual(before);
  });

  it('gives the same service as a preset that has the resource', () => {
    using made = resourceService({}, 'tagged');
    expect(JSON.parse(made.run('list', '--json').stdout).resources).toEqual([
      { name: 'tag', plural: 'tags', fields: { name: 'string:unique' } },
    ]);
    expect(made.run('check').exitCode).toBe(0);
    expect(made.run('resource', '--remove', 'tag', '--no-install').exitCode).toBe(0);
    using plain = resourceService();
    expect(treeOf(made.root)).toEqual(treeOf(plain.root));
  });

  it('tells an owner whose service does not start its resources', () => {
    using made = resourceService();
    const step = 'cmd/server/main.ts: add ...resources to the list that run() takes';
    const main = path.join(made.root, 'cmd/server/main.ts');
    outputFileSync(main, 'await run([...modules]);\n');
    expect(made.run(...order, '--no-install').stdout).toContain(step);
    expect(made.run('resource', 'order', 'note:string?', '--no-install').stdout).toContain(step);
    const served =
      "import { resources } from '../../internal/resources.gen.ts';\nawait run([...modules, ...resources]);\n";
    writeFileSync(main, served);
    expect(made.run('resource', 'order', 'remark:string?', '--no-install').stdout).not.toContain(step);
  });

  it('writes no migration again that an edit of the manifest would change, but for who asks for it', () => {
    const service = newService('--preset=minimal', '--modules=postgres');
    service.must(...order);
    service.must('resource', 'order', 'note:string?');
    service.edit('slipway.json', (text) => text.replace('"sku": "string', '"weight": "int?", "sku": "string'));
    const before = service.tree();
    for (const words of [['update'], ['resource', 'order', 'remark:string?'], ['add', 'redis']]) {
      const { exitCode, stdout } = service.run(...words, '--no-install');
      expect([words, exitCode]).toEqual([words, 3]);
      expect(stdout).toContain('a migration is written once: take your edit of fields in slipway.json back');
    }
    expect(service.tree()).toEqual(before);
    const warning = 'a database that ran it does not run it again';
    expect(service.must('update', '--no-install', '--conflict=theirs:internal/migrations/**')).toContain(warning);
  });

  it('writes a migration again when the resource that it refers to is removed', () => {
    const service = newService('--preset=minimal', '--modules=postgres');
    service.must('resource', 'customer', 'name:string');
    service.must(...order, 'customer:ref(customer)');
    service.must('resource', 'order', '--drop', 'customer');
    service.must('resource', 'customer', '--remove');
    expect(service.must('check')).toContain('No drift');
  });

  it('takes resources from a file', () => {
    using made = resourceService();
    const file = path.join(made.root, '..', 'resources.json');
    writeFileSync(
      file,
      JSON.stringify({
        customer: { fields: { name: 'string', email: 'email:unique' } },
        order: { plural: 'purchases', fields: { customer: 'ref(customer)', placed_at: 'datetime' }, sparse: true },
      }),
    );
    expect(made.run('resource', '--file', file, '--no-install')).toMatchObject({ exitCode: 0, stderr: '' });
    const manifest = JSON.parse(readFileSync(path.join(made.root, 'slipway.json'), 'utf8'));
    expect(manifest.resources.order.sparse).toBe(true);
    const list = JSON.parse(made.run('list', '--json').stdout);
    expect(list.resources).toEqual([
      { name: 'customer', plural: 'customers', fields: { name: 'string', email: 'email:unique' } },
      { name: 'order', plural: 'purchases', fields: { customer: 'ref(customer)', placedAt: 'datetime' } },
    ]);
    for (const [content, message] of [
      ['[]', 'holds no resources'],
      ['{"a":1}', '/a: expected an object'],
      ['{"a":{"fields":{"b":1}}}', '/a/fields: expected field → text'],
      ['{"a":{"feilds":{}}}', '/a/feilds: there is no such key'],
      ['{"a":{"fields":{"b":"strin"}}}', 'did you mean "string"?'],
      ['{"a":{"fields":{"b":"int"},"sparse":1}}', '/a/sparse: expected true or false'],
      ['{', 'is not JSON'],
    ] as const) {
      writeFileSync(file, content);
      expectFault(made.run('resource', '--file', file), 2, message);
    }
  });

  it.each([
    [[], 'slipway resource needs a name'],
    [['order'], 'resource "order" needs fields'],
    [['order', 'sku'], '"sku" is no field'],
    [['order', 'sku:strin'], 'field "sku", character 1: there is no type "strin"'],
    [['item', 'sku:string'], 'resource "item": the path /items belongs to every service'],
    [['order', 'sku:string', '--remove'], '--remove takes no fields beside it'],
    [['order', 'a:int', '--sparse', '--no-sparse'], '--sparse and --no-sparse cannot be together'],
    [['order', '--remove', '--sparse'], '--remove and --sparse cannot be together'],
    [['order', '--remove', '--rename=a'], '--remove and --rename cannot be together'],
    [['order', 'a:int', '--states', 'status'], '--states needs a field and its transitions'],
    [['order', '--rename-field', 'a'], '--rename-field takes old:new; given: a'],
    [['order', 'weight:int', '--file', 'x.json'], '--file takes no fields beside it'],
  ])('%j is refused', (args, message) => {
    using made = resourceService();
    const before = treeOf(made.root);
    expectFault(made.run('resource', ...args), 2, message);
    expect(treeOf(made.root)).toEqual(before);
  });
});
