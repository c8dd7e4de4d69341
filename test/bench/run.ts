/**
 * Measures what the documents claim, beside others, and writes `docs/performance.md`: `npm run bench`. Names choose some of the
 * measurements: `npm run bench -- sigterm image`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { api } from './api.ts';
import { checks } from './checks.ts';
import { documentOf, sectionsOf } from './document.ts';
import { plan, render } from './engine.ts';
import { footprint } from './footprint.ts';
import { grpc } from './grpc.ts';
import { image } from './image.ts';
import type { Measurement } from './measurement.ts';
import { npx } from './npx.ts';
import { ratelimit } from './ratelimit.ts';
import { resources } from './resources.ts';
import { restart } from './restart.ts';
import { runProgram } from './sample.ts';
import { scaffold } from './scaffold.ts';
import { sigterm } from './sigterm.ts';
import { throughput } from './throughput.ts';
import { tls } from './tls.ts';
import { websocket } from './websocket.ts';
import { weight } from './weight.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/** In the order in which they stand in the document. */
const measurements: Readonly<Record<string, Measurement>> = {
  weight,
  scaffold,
  npx,
  throughput,
  api,
  grpc,
  tls,
  websocket,
  ratelimit,
  sigterm,
  footprint,
  image,
  restart,
  checks,
  render,
  plan,
  resources,
};
const file = path.resolve(import.meta.dirname, '../../docs/performance.md');
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(measurements);
const unknown = wanted.filter((name) => !(name in measurements));
if (unknown.length > 0) {
  throw new Error(`no measurement ${unknown.join(', ')}; there are ${Object.keys(measurements).join(', ')}`);
}

const titles = Object.values(measurements).map(({ title }) => title);
const before = sectionsOf(readFileSync(file, 'utf8'));
const measured = new Map<string, string>();
using workspace = openWorkspace();
const machine = machineOf(workspace);
for (const [name, { title, lacks, measure }] of Object.entries(measurements)) {
  if (!wanted.includes(name)) continue;
  const missing = (await lacks?.()) ?? [];
  if (missing.length > 0) {
    const why = `Not measured: this machine has no ${missing.join(', no ')}.`;
    process.stdout.write(`${name}: ${why}\n\n`);
    if (!before.has(title)) keep(title, why);
    continue;
  }
  const begun = performance.now();
  const body = await measure(workspace);
  keep(title, `${body}\n\n${machine}`);
  const seconds = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(`## ${title}\n\n${body}\n\n${name}: measured in ${seconds} s\n\n`);
}

/** At once: the next measurement may fail. */
function keep(title: string, text: string): void {
  measured.set(title, text);
  writeFileSync(file, documentOf(titles, before, measured));
}

/** Generators run on the host's Node, everything else on this one. */
function machineOf({ scratch, hostEnv }: Workspace): string {
  const [cpu] = os.cpus();
  const hostNode = runProgram(['node', '--version'], scratch, hostEnv).trim();
  return `_${os.availableParallelism()} × ${cpu?.model ?? 'unknown'}, ${os.platform()}, Node ${process.version}, generators on ${hostNode}_`;
}
