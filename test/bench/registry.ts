import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A package that the registry serves. */
export interface Served {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly tarball: string;
}

/**
 * A registry of a few packages on this machine, so that a cold `npx` of each costs the same network. A process of its own:
 * packages as JSON on its command line, of one name the newest last; its port on standard output.
 */
if (import.meta.main) {
  // Given by the bench, which starts this process.
  const packages = JSON.parse(process.argv[2] ?? '[]') as readonly Served[];
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '/').slice(1);
    const tarball = packages.find(({ name, version }) => url === `${name}-${version}.tgz`);
    const found = packages.filter(({ name }) => url === name);
    if (tarball !== undefined) {
      response.end(readFileSync(tarball.tarball));
    } else if (found.length === 0) {
      response.writeHead(404).end('{}');
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(packument(found, `http://${request.headers.host}`)));
    }
  });
  server.listen(0, '127.0.0.1', () => {
    // Listening on TCP, the address is of this form.
    process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
  });
}

function packument(all: readonly Served[], origin: string): object {
  const versions = all.map(({ tarball, ...served }) => {
    const bytes = readFileSync(tarball);
    const dist = {
      tarball: `${origin}/${served.name}-${served.version}.tgz`,
      shasum: createHash('sha1').update(bytes).digest('hex'),
      integrity: integrityOf(bytes),
    };
    return { ...served, dist };
  });
  return {
    name: all[0]?.name,
    'dist-tags': { latest: versions.at(-1)?.version },
    versions: Object.fromEntries(versions.map((served) => [served.version, served])),
  };
}

/**
 * @param bytes of a tarball
 * @returns what a lockfile records of it
 */
export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
}
