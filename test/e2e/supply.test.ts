import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { PackageManager } from '../../generators/engine/model.ts';
import { packageManagerDefinitions } from '../../generators/engine/packageManagers/index.ts';

const integrity = `sha512-${'A'.repeat(86)}==`;
const lockfiles = {
  'package-lock.json': JSON.stringify({
    name: 'orders',
    lockfileVersion: 3,
    packages: {
      '': { name: 'orders', dependencies: { leaky: '1.0.0' } },
      'node_modules/leaky': { version: '1.0.0', integrity },
    },
  }),
  'pnpm-lock.yaml': [
    "lockfileVersion: '9.0'",
    'importers:',
    '  .: { dependencies: { leaky: { specifier: 1.0.0, version: 1.0.0 } } }',
    `packages: { leaky@1.0.0: { resolution: { integrity: ${integrity} } } }`,
    'snapshots: { leaky@1.0.0: {} }',
  ].join('\n'),
  'yarn.lock': [
    '__metadata: { version: 10, cacheKey: 10c0 }',
    '"leaky@npm:1.0.0": { version: 1.0.0, resolution: "leaky@npm:1.0.0", checksum: 10c0/a, languageName: node, linkType: hard }',
    '"orders@workspace:.": { version: 0.0.0-use.local, resolution: "orders@workspace:.", dependencies: { leaky: "npm:1.0.0" }, languageName: unknown, linkType: soft }',
  ].join('\n'),
  'bun.lock': JSON.stringify({
    lockfileVersion: 1,
    workspaces: { '': { name: 'orders', dependencies: { leaky: '1.0.0' } } },
    packages: { leaky: ['leaky@1.0.0', '', {}, integrity] },
  }),
};

/** What a registry says of the one package; it says it to each package manager in its own form. */
type Severity = 'none' | 'low' | 'high';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'slipway-supply-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  ['npm', 'audit endpoint returned an error'],
  ['pnpm', 'ERR_PNPM_AUDIT_BAD_RESPONSE'],
  ['yarn', 'The remote server failed'],
  ['bun', '- 405'],
] as const)('the audit of a service that uses %s', (packageManager, unanswered) => {
  it.each([
    ['none', 0],
    ['low', 0],
    ['high', 1],
  ] as const)('asks the registry; severity %s: exit code %i', async (severity, exitCode) => {
    const { asked, ...audit } = await auditWith(packageManager, severity);
    expect(audit.exitCode, audit.all).toBe(exitCode);
    expect(audit.all).not.toContain(unanswered);
    expect(asked).toContain('leaky');
  });

  it('fails where the registry takes no audits, and says so', async () => {
    const { asked, ...audit } = await auditWith(packageManager, undefined);
    expect(audit).toMatchObject({ exitCode: 1, all: expect.stringContaining(unanswered) });
    expect(asked).toContain('leaky');
  });

  it('asks another registry when it is told to', async () => {
    const { asked, ...audit } = await auditWith(packageManager, 'high', true);
    expect(audit.exitCode, audit.all).toBe(1);
    expect(asked).toContain('leaky');
  });
});

/**
 * Runs the script against a registry on this machine.
 * @param severity of what it knows; it refuses audits when there is none
 * @param isNamed whether the command names the registry; otherwise it is the default one of the package manager
 */
async function auditWith(packageManager: PackageManager, severity: Severity | undefined, isNamed = false) {
  const { audit: script } = packageManagerDefinitions[packageManager];
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ name: 'orders', type: 'module', dependencies: { leaky: '1.0.0' }, scripts: { audit: script } }),
  );
  for (const [name, text] of Object.entries(lockfiles)) writeFileSync(path.join(folder, name), text);

  let asked = '';
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    asked += String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    if (request.method === 'POST' && severity === undefined) response.writeHead(405).end();
    else response.end(JSON.stringify(answer(request.url ?? '', severity ?? 'none')));
  };
  const server = createServer((request, response) => void reply(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Listening on TCP, the address is of this form.
  const registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    // Yarn runs a script only when packages are installed.
    const args =
      packageManager === 'yarn'
        ? script.split(' ').slice(1)
        : ['run', 'audit', ...(isNamed ? [...(packageManager === 'npm' ? ['--'] : []), `--registry=${registry}`] : [])];
    const { exitCode, all } = await execa(packageManager, args, {
      cwd: folder,
      env: {
        PATH: [inject('newNode'), inject('hostPath')].join(path.delimiter),
        // npm remembers advisories.
        npm_config_cache: path.join(folder, 'cache'),
        npm_config_registry: isNamed ? 'http://127.0.0.1:9/' : registry,
        [isNamed ? 'YARN_NPM_AUDIT_REGISTRY' : 'YARN_NPM_REGISTRY_SERVER']: registry,
        YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
      },
      all: true,
      reject: false,
    });
    return { exitCode, all, asked };
  } finally {
    server.close();
  }
}

/** Some package managers ask for advisories in bulk, and for the package's versions; pnpm asks for a report. */
function answer(url: string, severity: Severity): object {
  const has = severity !== 'none';
  const advisory = { id: 1, url: 'https://example.com/1', title: 'Leak', severity, vulnerable_versions: '<2.0.0' };
  if (url.endsWith('/advisories/bulk')) return has ? { leaky: [advisory] } : {};
  if (url === '/leaky') {
    const versions = { '1.0.0': { name: 'leaky', version: '1.0.0', dist: { tarball: 'leaky.tgz', integrity } } };
    return { name: 'leaky', 'dist-tags': { latest: '1.0.0' }, versions };
  }
  const findings = [{ version: '1.0.0', paths: ['.>leaky'] }];
  const report = { ...advisory, module_name: 'leaky', patched_versions: '>=2.0.0', findings, cves: [] };
  const vulnerabilities = { info: 0, low: 0, moderate: 0, high: 0, critical: 0, ...(has && { [severity]: 1 }) };
  return { advisories: has ? { 1: report } : {}, metadata: { vulnerabilities, totalDependencies: 1 } };
}
