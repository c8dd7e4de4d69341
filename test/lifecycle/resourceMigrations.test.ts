import { stripTypeScriptTypes } from 'node:module';
import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';

import { SlipwayError } from '../../generators/engine/errors.ts';
import { newManifest } from '../../generators/engine/manifest.ts';
import type { Field, Manifest } from '../../generators/engine/model.ts';
import { contextsOf } from '../../generators/engine/resources/context.ts';
import { putResource, renameResource, type ResourceRequest } from '../../generators/engine/resources/edit.ts';
import { examplesOf } from '../../generators/engine/resources/examples.ts';
import { parseField, printField } from '../../generators/engine/resources/fields.ts';
import { constraintName } from '../../generators/engine/resources/tables.ts';
import { renderTemplate } from '../../generators/engine/template.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { serverDatabase } from '../helpers/postgres.ts';
import { fieldArbitrary } from '../helpers/resources.ts';

const { modules, ...catalogue } = await buildCatalogue();
const { resource: templates } = modules['postgres'] ?? {};
const paths = { change: { name: '' }, resource: { plural: { kebab: '' } } };
const template = templates?.files.find((file) => renderTemplate(file.path, paths).includes('migrations/'));

interface Migration {
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/** A stand-in for Kysely, which returns the SQL. */
const kysely = `const sql = Object.assign(
  (strings, ...values) => ({ execute: () => String.raw({ raw: strings }, ...values) }),
  { lit: (value) => "'" + value.replaceAll("'", "''") + "'" },
);`;

async function migrationsOf({ resources = {} }: Manifest): Promise<Migration[]> {
  const all = Object.keys(resources).flatMap((name) => contextsOf(name, resources).changes);
  const texts = all.map(({ change }): [string, string] => {
    if (template === undefined || !('template' in template)) throw new Error('postgres has a template of migrations');
    return [change.name, renderTemplate(template.template, { change, types: templates?.types })];
  });
  const printed = texts.filter(([, text]) => text !== '').toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Promise.all(
    printed.map(async ([name, text]) => {
      const code = stripTypeScriptTypes(text.replace(/^import .*$/m, kysely)).replaceAll('await ', 'return ');
      const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
      return { name, up: await module.up(), down: await module.down() };
    }),
  );
}

/** What tells two schemas apart. A constraint that has not looked at the rows that were there is the same constraint. */
const schema = `
  select json_build_object(
    'columns', (
      select json_agg(to_jsonb(c) order by c.t, c.name) from (
        select a.attrelid::regclass::text as t, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
          a.attnotnull as required, pg_get_expr(d.adbin, d.adrelid) as default, l.collname as collation
        from pg_attribute a join pg_class r on r.oid = a.attrelid and r.relkind = 'r'
        left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        left join pg_collation l on l.oid = a.attcollation
        where r.relnamespace = current_schema()::regnamespace and a.attnum > 0 and not a.attisdropped) c),
    'constraints', (
      select json_agg(conrelid::regclass || ' ' || conname || ' ' || replace(pg_get_constraintdef(oid), ' NOT VALID', '')
        order by conrelid::regclass::text, conname)
      from pg_constraint where connamespace = current_schema()::regnamespace and contype <> 'n'),
    'indexes', (
      select json_agg(replace(indexdef, current_schema() || '.', '') order by indexname)
      from pg_indexes where schemaname = current_schema())
  ) as schema`;

/** Runs work in an empty schema. */
async function inSchema<Value>(client: pg.Client, work: () => Promise<Value>): Promise<Value> {
  await client.query('drop schema if exists test cascade; create schema test; set search_path to test');
  return work();
}

async function schemaOf(client: pg.Client): Promise<Record<string, unknown>> {
  return (await client.query<{ schema: Record<string, unknown> }>(schema)).rows[0]?.schema ?? {};
}

/** Adds a row with the example of each field, before the table changes. */
async function addRow(client: pg.Client, manifest: Manifest, name: string): Promise<void> {
  const { resources = {} } = manifest;
  const { changes } = contextsOf(name, resources);
  const [first] = changes;
  if (first === undefined) return;
  const { plural, fields } = first.change;
  const values = fields
    .filter(({ target, list, optional }) => !optional && (target === null || list))
    .map((field) => [field.snake, field.example]);
  const time = '2026-01-02T03:04:05.006Z';
  const row = { id: '0190a0c4-7a80-7cc3-98e2-0d8f4b2f7c13', version: 1, created_at: time, updated_at: time };
  await client.query(`insert into "${plural.snake}" select * from jsonb_populate_record(null::"${plural.snake}", $1)`, [
    JSON.stringify({ ...Object.fromEntries(values), ...row }),
  ]);
}

const empty = newManifest({ name: 'shop', platformTests: true }, { ...catalogue, modules });

type Edit = (manifest: Manifest, name: string, fields: readonly string[]) => Manifest;

function put(manifest: Manifest, request: ResourceRequest, day = '20261201'): Manifest {
  return putResource(manifest, request, day).manifest;
}

/** Changes of a resource. One that is refused changes nothing. */
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fieldArbitrary().map(
    (field): Edit =>
      (manifest, name) =>
        put(manifest, { name, fields: [field] }),
  ),
  fc.nat(9).map((at): Edit => (manifest, name, fields) => {
    const drop = fields.slice(at, at + 1);
    return put(manifest, { name, fields: [], drop });
  }),
  fc.tuple(fc.nat(5), fc.nat(99)).map(([at, mark]): Edit => (manifest, name, fields) => {
    return put(manifest, { name, fields: [], rename: { [fields[at] ?? '']: `renamedField${mark}` } });
  }),
  fc
    .tuple(
      fc.nat(5),
      fc.record(
        { optional: fc.boolean(), unique: fc.boolean(), indexed: fc.boolean(), private: fc.boolean() },
        { requiredKeys: [] },
      ),
      fc.constantFrom<Partial<Field>>(
        {},
        { type: 'text' },
        { type: 'string' },
        { type: 'bigint' },
        { type: 'decimal', precision: 38, scale: 4 },
      ),
      fc.constantFrom('keep' as const, 'none' as const, 'other' as const),
    )
    .map(([at, marks, type, kept]): Edit => (manifest, name, fields) => {
      const field = fields[at] ?? '';
      const before = parseField(field, manifest.resources?.[name]?.fields[field] ?? '');
      const { default: former, ...rest } = { ...before, ...marks, ...type };
      const value = { keep: former, none: undefined, other: examplesOf(parseField(field, printField(rest)))[1] }[kept];
      const next = value === undefined ? rest : { ...rest, default: value };
      return put(manifest, { name, fields: [parseField(field, printField(next))] });
    }),
  fc.constant<Edit>((manifest, name) => renameResource(manifest, name, `new-${name}`, undefined, '20261201').manifest),
);

const histories = fc
  .tuple(
    fc.uniqueArray(fieldArbitrary(), { minLength: 1, maxLength: 5, selector: ({ name }) => name }),
    fc.array(edits, { maxLength: 5 }),
  )
  .map(([fields, changes]) => {
    const customer = put(empty, { name: 'customer', fields: [parseField('name', 'string:unique')] }, '20261129');
    const start = put(customer, { name: 'order-line', fields }, '20261130');
    let [now, name] = [start, 'order-line'];
    for (const edit of changes) {
      try {
        now = edit(now, name, Object.keys(now.resources?.[name]?.fields ?? {}));
        name = Object.keys(now.resources ?? {}).find((key) => key.endsWith('order-line')) ?? name;
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
      }
    }
    return { now, name };
  });

test('migrations lead to the tables of the fields, and back, also with rows in them', async ({ skip }) => {
  await using database = await serverDatabase();
  skip(database === undefined, 'no PostgreSQL answers');
  const client = new pg.Client({ connectionString: database?.url });
  await client.connect();
  const property = fc.asyncProperty(histories, async ({ now, name }) => {
    const { plural = '', fields = {} } = now.resources?.[name] ?? {};
    const { [name]: _, ...others } = now.resources ?? {};
    const atOnce = { ...now, resources: { ...others, [name]: { plural, fields, created: '20261130' } } };
    const expected = await inSchema(client, async () => {
      for (const { up } of await migrationsOf(atOnce)) await client.query(up);
      return schemaOf(client);
    });
    const migrations = await migrationsOf(now);
    await inSchema(client, async () => {
      const before: Record<string, unknown>[] = [];
      for (const { up } of migrations) {
        before.push(await schemaOf(client));
        await client.query(up);
        if (
          before.length === 2 &&
          !Object.values(contextsOf(name, now.resources ?? {}).changes[0]?.change.fields ?? {}).some(
            ({ target, list, optional }) => target !== null && !list && !optional,
          )
        )
          await addRow(client, now, name);
      }
      expect(await schemaOf(client)).toEqual(expected);
      for (const { down } of migrations.toReversed()) {
        await client.query(down);
        const { columns, ...rest } = await schemaOf(client);
        const { columns: former, ...expectedRest } = before.pop() ?? {};
        expect(rest).toEqual(expectedRest);
        expect(withoutRequired(columns)).toEqual(withoutRequired(former));
      }
    });
  });
  try {
    await fc.assert(property, { numRuns: process.env['CI'] === undefined ? 60 : 240 });
  } finally {
    await client.end();
  }
});

/** A column that is there again cannot be required: its values are lost. */
function withoutRequired(columns: unknown): unknown {
  return Array.isArray(columns) ? columns.map(({ required: _required, ...column }) => column) : columns;
}

test('long names of constraints are cut, and differ', () => {
  const [table, column] = ['a'.repeat(40), 'b'.repeat(40)];
  const names = ['key', 'check', 'idx', 'fkey'] as const;
  const all = [column, `${column}c`].flatMap((each) => names.map((kind) => constraintName(table, each, kind)));
  expect(new Set(all).size).toBe(8);
  for (const name of all) expect(name).toMatch(/^[ab_]{40,}_[0-9a-f]{8}_(key|check|idx|fkey)$/);
  for (const name of all) expect(name.length).toBeLessThanOrEqual(63);
  expect(constraintName('orders', 'sku', 'key')).toBe('orders_sku_key');
});
