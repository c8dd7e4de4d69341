import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement } from './measurement.ts';
import { median } from './sample.ts';
import { type Candidate, candidates, reply, start } from './services.ts';
import { table } from './table.ts';

const rounds = 5;

/** What a developer waits for after each save. */
export const restart: Measurement = {
  title: 'Development: from saving a source file to the first reply that shows the change',
  async measure({ service, serviceEnv }) {
    const rows = [];
    for (const candidate of candidates) {
      const times = await saves(candidate, service(candidate), serviceEnv);
      rows.push([
        candidate.name,
        `\`${candidate.dev.script}\``,
        median(times).toFixed(0),
        `${Math.min(...times).toFixed(0)}–${Math.max(...times).toFixed(0)}`,
      ]);
    }
    return [
      'One service after the other: what watches files would slow the others.',
      table(['what', 'npm script', 'median, ms', 'range, ms'], rows),
    ].join('\n\n');
  },
};

async function saves({ dev }: Candidate, folder: string, env: NodeJS.ProcessEnv): Promise<number[]> {
  const file = path.join(folder, dev.file);
  const original = readFileSync(file, 'utf8');
  const times: number[] = [];
  try {
    await using started = await start((port) => ['npm', 'run', dev.script, ...dev.args(port)], folder, env);
    await reply(started.origin, started.child);
    for (let round = -1; round < rounds; round += 1) {
      // Whoever watches has settled, as between two saves of a person.
      await sleep(1000);
      const said = `change ${round}`;
      const changed = original.replace(dev.pattern, () => dev.replacement(said));
      const begun = performance.now();
      writeFileSync(file, changed);
      await reply(started.origin + dev.route, started.child, (body) => body.includes(said));
      if (round >= 0) times.push(performance.now() - begun);
    }
    return times;
  } finally {
    writeFileSync(file, original);
  }
}
