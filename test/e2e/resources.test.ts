import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../generators/engine/model.ts';
import { contextsOf } from '../../generators/engine/resources/context.ts';
import { printField } from '../../generators/engine/resources/fields.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { type LiveService, startService } from '../helpers/liveService.ts';
import { resourcesArbitrary } from '../helpers/resources.ts';
import { writeService } from '../helpers/serviceFolder.ts';

type Resources = NonNullable<Manifest['resources']>;

/** Every type and every modifier. */
const fixed: Resources = {
  customer: { plural: 'customers', fields: { name: 'string', email: 'email:unique' }, created: '20261129' },
  thing: {
    plural: 'things',
    fields: {
      code: 'string:unique:immutable:min(2):max(20):pattern(^[a-z]+$)',
      remark: 'text?:private',
      mail: 'email:indexed',
      link: 'url?',
      count: 'int:indexed:min(-3):max(9)',
      big: 'bigint:indexed',
      price: 'decimal(12,2):indexed:min(0)',
      ready: 'boolean:default(true)',
      day: 'date:indexed:min(2000-01-01)',
      at: 'datetime:indexed',
      key: 'uuid:unique',
      data: 'json?',
      colour: 'enum(red,green):default(red)',
      customer: 'ref(customer)',
      parent: 'ref(thing)?',
      names: 'string[]:min(1):max(3)',
      amounts: 'decimal[]',
      days: 'date[]?',
      stage: 'enum(open,closed)',
    },
    states: { stage: 'open>closed:close, closed>open:reopen' },
    sparse: true,
    created: '20261129',
  },
};

/** As they are written in JSON. */
const oddValues = [
  String.raw`"\u0000"`,
  String.raw`"\ud800"`,
  '1e400',
  '-1e308',
  '"2016-12-31T23:59:60Z"',
  '"2026-02-30"',
  '9007199254740993',
  `"${'9'.repeat(400)}"`,
  '"-0"',
  '{"__proto__":{"a":1}}',
  '[]',
  '[null]',
  'null',
  '""',
  `"${'a'.repeat(100_000)}"`,
  `${'['.repeat(2000)}${']'.repeat(2000)}`,
  `${'['.repeat(33)}${']'.repeat(33)}`,
];

function nested(levels: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
}

const catalogue = await buildCatalogue();
const seed = randomInt(2 ** 31 - 1);
const [random = {}] = fc.sample(
  resourcesArbitrary(printField).filter((some) => Object.keys(some).length > 1),
  { seed, numRuns: 1 },
);
const resources: Resources = { ...random, ...fixed };

function contextOf(name: string) {
  return contextsOf(name, resources).resource;
}

describe(`a service with resources (seed ${seed})`, () => {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'slipway-resources-')));
  const env = { PATH: [path.dirname(process.execPath), process.env['PATH']].join(path.delimiter), NODE_OPTIONS: '' };
  const run = (script: string) => execa('npm', ['run', script], { cwd: folder, env, reject: false, all: true });
  let live: LiveService;
  beforeAll(async () => {
    writeService(folder, ['client', 'contract', 'hal'], catalogue, resources);
    live = await startService(folder, ['node', 'cmd/server/main.ts'], { ...env, SHUTDOWN_DELAY_MS: '0' });
  });
  afterAll(async () => {
    await live[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  async function send(method: string, url: string, body?: string, headers: Readonly<Record<string, string>> = {}) {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const reply = await fetch(live.origin + url, {
      method,
      headers: { ...(body !== undefined && { 'content-type': type }), ...headers },
      ...(body !== undefined && { body }),
    });
    const text = await reply.text();
    expect(reply.status, `${method} ${url} ${body?.slice(0, 200)}\n${text}`).toBeLessThan(500);
    return {
      status: reply.status,
      etag: reply.headers.get('etag') ?? '',
      json: text === '' ? undefined : JSON.parse(text),
    };
  }

  it('passes its own checks and its build, and says of itself what is composed for it', async () => {
    const files = ['api/openapi.json', 'pkg/client/contract.gen.ts'].map((file) => path.join(folder, file));
    const read = () => files.map((file) => readFileSync(file, 'utf8'));
    const composed = read();
    const openapi = await run('openapi');
    expect(openapi.exitCode, openapi.all).toBe(0);
    expect(read()).toEqual(composed);
    for (const script of ['check', 'build']) {
      const { exitCode, all } = await run(script);
      expect(exitCode, all).toBe(0);
    }
  });

  it('creates, lists, changes, moves and deletes', async () => {
    const { json: customer } = await send('POST', '/customers', JSON.stringify(contextOf('customer').example));
    const { example, filters, lists } = contextOf('thing');
    const created = await send('POST', '/things', JSON.stringify({ ...example, customer: customer.id }));
    expect(created.json).toMatchObject({ version: 1, stage: 'open', code: example['code'] });
    expect(created.json).not.toHaveProperty('remark');
    const url = `/things/${created.json.id}`;
    for (const { name } of filters) {
      const value = created.json[name] ?? customer.id;
      const { json } = await send('GET', `/things?${new URLSearchParams({ [name]: String(value) }).toString()}`);
      expect([name, json.items?.length]).toEqual([name, name === 'parent' ? 0 : 1]);
    }
    for (const field of lists.sortable)
      for (const sort of [field, `-${field}`])
        expect([sort, (await send('GET', `/things?sort=${sort}`)).json.items?.length]).toEqual([sort, 1]);
    const deep = (levels: number) => ({ ...example, customer: customer.id, data: nested(levels) });
    expect((await send('POST', '/things', JSON.stringify(deep(33)))).json).toMatchObject({
      status: 400,
      errors: [{ pointer: '/data', rule: 'depth' }],
    });
    const refused = await send('PATCH', url, JSON.stringify({ data: nested(33) }), { 'if-match': '*' });
    expect(refused.json).toMatchObject({ status: 400, errors: [{ pointer: '/data', rule: 'depth' }] });
    const sparse = await send('GET', '/things?fields=data,count&sort=-count');
    expect(sparse.json.items).toEqual([{ id: created.json.id, count: created.json.count, data: created.json.data }]);
    for (const field of ['remark', 'nothing'])
      expect((await send('GET', `/things?fields=count,${field}`)).json).toMatchObject({
        status: 400,
        errors: [{ in: 'querystring', pointer: '/fields', detail: `"${field}" is not a field` }],
      });
    const changed = await send('PATCH', url, '{"count":5,"link":null}', { 'if-match': created.etag });
    expect(changed.json).toMatchObject({ version: 2, count: 5 });
    expect(changed.json).not.toHaveProperty('link');
    expect((await send('POST', `${url}/close`)).json).toMatchObject({ stage: 'closed' });
    expect((await send('POST', `${url}/close`)).json).toMatchObject({ status: 409, code: 'invalid_transition' });
    const { etag } = await send('POST', `${url}/reopen`);
    expect((await send('DELETE', `/customers/${customer.id}`, undefined, { 'if-match': '*' })).status).toBe(409);
    expect((await send('DELETE', url, undefined, { 'if-match': etag })).status).toBe(204);
  });

  it.each(Object.keys(resources))('has no fault of its own for odd values: %s', async (name) => {
    const { plural, fields, example } = contextOf(name);
    const url = `/${plural.kebab}`;
    for (const field of fields) {
      for (const odd of oddValues) {
        const { [field.name]: _, ...others } = example;
        const members = [
          ...Object.entries(others).map(([key, value]) => `"${key}":${JSON.stringify(value)}`),
          `"${field.name}":${odd}`,
        ];
        await send('POST', url, `{${members.join(',')}}`);
        await send('PATCH', `${url}/0190a0c4-7a80-7cc3-98e2-0d8f4b2f7c11`, `{"${field.name}":${odd}}`, {
          'if-match': '*',
        });
        if (odd.length < 1000)
          await send('GET', `${url}?${new URLSearchParams({ [field.name]: odd, sort: odd }).toString()}`);
      }
    }
  });
});
