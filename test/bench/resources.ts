import os from 'node:os';
import { performance } from 'node:perf_hooks';
import path from 'node:path';
import pg from 'pg';
import type { Manifest } from '../../generators/engine/model.ts';
import { newManifest } from '../../generators/engine/manifest.ts';
import { merge } from '../../generators/engine/reconcile/merge/merge.ts';
import { prepare } from '../../generators/engine/reconcile/prepare.ts';
import { render as renderService } from '../../generators/engine/render.ts';
import { commit } from '../../generators/io/transaction.ts';
import { openService } from '../../generators/io/service.ts';
import { buildCatalogue } from '../../templates/build.ts';
import { offeredModules } from '../helpers/offeredModules.ts';
import { serverDatabase } from '../helpers/postgres.ts';
import { grownService } from './engine.ts';
import type { Measurement } from './measurement.ts';
import { type Candidate, compare, median, runProgram } from './sample.ts';
import { slipway, slipwayWith } from './services.ts';
import { rateTable, table, timeTable } from './table.ts';
import { installPeers, lacksForLoad, ratesUnderLoad, type Server } from './throughput.ts';
import type { Workspace } from './workspace.ts';

const packages = ['fastify@5.12.8', 'pg@8.23.1'];
const rows = 1000;
const rounds = 3;
const starts = 5;

/** Resources: how fast they are printed and planned, how fast their routes are, how long a stranger waits. */
export const resources: Measurement = {
  title: 'Resources',
  async lacks() {
    await using database = await serverDatabase();
    return [...lacksForLoad(), ...(database === undefined ? ['PostgreSQL'] : [])];
  },
  async measure(workspace) {
    const before = os.loadavg()[0] ?? 0;
    const sections = [await rendering(), await planning(workspace), waiting(workspace), await routes(workspace)];
    const after = os.loadavg()[0] ?? 0;
    const load = `Load average of the machine: ${before.toFixed(1)} before, ${after.toFixed(1)} after.`;
    return [load, ...sections].join('\n\n');
  },
};

/** A resource with fields of most kinds. */
function resourcesOf(count: number): NonNullable<Manifest['resources']> {
  const numbers = Array.from({ length: count }, (_, index) => String(index).padStart(3, '0'));
  return Object.fromEntries(
    numbers.map((number) => [
      `parcel${number}`,
      {
        plural: `parcel${number}s`,
        fields: {
          code: 'string:unique:max(40)',
          remark: 'text?',
          weight: 'int:indexed:min(0)',
          price: 'decimal(12,2):min(0)',
          sentAt: 'datetime?',
          tags: 'string[]',
          stage: 'enum(packed,sent,lost)',
        },
        states: { stage: 'packed>sent:send, sent>lost:lose' },
        created: '20261130',
      },
    ]),
  );
}

async function rendering(): Promise<string> {
  const catalogue = await buildCatalogue();
  const candidates = [0, 12, 25, 50, 100].map((count): Candidate => {
    const manifest = newManifest({ name: 'orders', modules: offeredModules, resources: resourcesOf(count) }, catalogue);
    const run = () => renderService(manifest, catalogue);
    return { name: `${count} resources (${run().size} files)`, run: () => void run() };
  });
  return ['### `render` with every module', timeTable(compare(candidates, 15), '50 resources')].join('\n\n');
}

async function planning({ scratch }: Workspace): Promise<string> {
  const catalogue = await buildCatalogue();
  const service = grownService(2000, path.join(scratch, 'resources'), catalogue, offeredModules);
  const { folder, manifest } = service;
  const changesTo = (wanted: Manifest) =>
    prepare(openService(folder), { catalogue: service.catalogue, merge, edit: () => wanted }).changes;
  const withOne = { ...manifest, resources: resourcesOf(1) };
  const candidates: Candidate[] = [
    service.plan,
    { name: 'resource, planned', run: () => void changesTo(withOne) },
    {
      name: 'resource, planned and written',
      before: () => commit(folder, changesTo(manifest)),
      run: () => commit(folder, changesTo(withOne)),
    },
  ];
  return [
    '### `resource` on a service with 2000 files besides those of every module, a tenth of them edited, beside the plan of an update that changes each of the 2000',
    timeTable(compare(candidates, 9), 'plan'),
  ].join('\n\n');
}

async function routes({ cache, service, serviceEnv }: Workspace): Promise<string> {
  await using database = await serverDatabase();
  if (database === undefined) throw new Error('PostgreSQL has answered before');
  const env = { DATABASE_URL: database.url, ADMIN_PORT: '0', NODE_ENV: 'production' };
  const folder = service(slipwayWith('postgres'));
  runProgram(['npm', 'run', 'migrate'], folder, { ...serviceEnv, ...env });
  const id = await fill(database.url);
  const peers = installPeers(path.join(cache, 'resources'), packages, ['resources.mjs']);
  const routesOf = { [`A list of 20 of ${rows} items`]: '/items', 'One item by its id': `/items/${id}` };
  const sections: string[] = [];
  for (const [what, route] of Object.entries(routesOf)) {
    const servers: Server[] = [
      { name: 'bare Fastify and pg', folder: peers, main: 'resources.mjs', route },
      { name: 'the service, as it comes', folder, main: 'dist/cmd/server/main.js', route },
    ];
    const names = servers.map(({ name }) => name);
    const { perSecond, perCpuSecond } = await ratesUnderLoad(servers, env, starts);
    const tables = [rateTable('requests/s', names, perSecond), rateTable('requests/CPU-s', names, perCpuSecond)];
    sections.push(`#### ${what}`, ...tables);
  }
  return [
    '### A resource in PostgreSQL, beside bare Fastify with schemas of the replies and the same query by pg',
    'One core for the server and one for the load (wrk, 50 connections); the database runs on both. A server that waits for the database leaves its core idle, so requests each second hide a part of what a request costs. Those of a CPU second are for each second that the server computes. The service asks for one row more than it shows: it tells whether there is a next page.',
    ...sections,
  ].join('\n\n');
}

/** @returns the id of an item */
async function fill(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `insert into items select gen_random_uuid(), 1, 'item ' || n, n, now() + n * interval '1 second', now() from generate_series(1, ${rows}) n`,
    );
    await client.query('analyze items');
    const { rows: found } = await client.query<{ id: string }>('select id from items limit 1');
    return found[0]?.id ?? '';
  } finally {
    await client.end();
  }
}

/** What somebody waits for who creates a resource in a fresh service. */
function waiting({ service, slipway: executable, serviceEnv }: Workspace): string {
  const folder = service({ ...slipway });
  const command = path.join(path.dirname(executable()), 'slipway.cjs');
  const resource = (...args: string[]) => {
    const begun = performance.now();
    runProgram(['node', command, 'resource', 'order', ...args], folder, serviceEnv);
    return (performance.now() - begun) / 1000;
  };
  const fields = ['sku:string:unique', 'quantity:int:min(1)', 'note:text?'];
  const times = { resource: [] as number[], check: [] as number[], verified: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.resource.push(resource(...fields, '--yes'));
    const begun = performance.now();
    runProgram(['npm', 'run', 'check'], folder, serviceEnv);
    times.check.push((performance.now() - begun) / 1000);
    resource('--remove', '--yes');
    times.verified.push(resource(...fields, '--yes', '--verify'));
    resource('--remove', '--yes');
  }
  return [
    '### From `resource` to a passing `check`, in a fresh service with its packages',
    table(
      ['what', 'median, s'],
      [
        ['`slipway resource order sku:string:unique …`', median(times.resource).toFixed(2)],
        ['`npm run check` then', median(times.check).toFixed(1)],
        ['both by one command, in a copy with packages of its own: `--verify`', median(times.verified).toFixed(1)],
      ],
    ),
  ].join('\n\n');
}
