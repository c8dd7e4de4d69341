/** Compares `api/openapi.json`. A new major version of the API may break callers, and so may the end of what had a sunset. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { withoutEnded } from '../openapi/sunset.ts';
import { compareWithRelease } from '../release/compareWithRelease.ts';
import { isMajorStep } from '../release/lastRelease.ts';

const file = 'api/openapi.json';
const Versioned = Type.Object({ info: Type.Object({ version: Type.String() }) });

compareWithRelease(file, (tag) => {
  const { stdout: text } = spawnSync('git', ['show', `${tag}:./${file}`], { encoding: 'utf8', maxBuffer: Infinity });
  const mayBreak = isMajorStep(versionIn(text), versionIn(readFileSync(file, 'utf8')));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'contract-'));
  const before = path.join(folder, `${tag.replaceAll('/', '-')}.json`);
  // What was announced to be gone by now may be gone.
  writeFileSync(before, JSON.stringify(withoutEnded(JSON.parse(text), new Date().toISOString().slice(0, 10))));
  const redocly = path.join(path.dirname(findPackageJSON('@redocly/cli', import.meta.url) ?? ''), 'bin', 'cli.js');
  const { status } = spawnSync(
    process.execPath,
    [redocly, 'diff', before, file, `--fail-on=${mayBreak ? 'none' : 'major'}`],
    { stdio: 'inherit', env: { ...process.env, REDOCLY_TELEMETRY: 'off' } },
  );
  rmSync(folder, { recursive: true });
  if (status !== 0) {
    process.stderr.write(`
Callers of ${tag} break. Take the change back; or add beside it what they need. When they are to break, raise the first number of the
version in internal/platform/contract/module.ts, and write it down with: npm run openapi
`);
  }
  return status ?? 1;
});

function versionIn(text: string): string {
  return Value.Parse(Versioned, JSON.parse(text)).info.version;
}
