import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A package that the registry serves. */
export interface Served {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly tarball: string;
}

/**
 * A registry of a few packages on this machine, so that a cold `npx` of each costs the same network. A process of its own:
 * packages as JSON on its command line, its port on standard output.
 */
if (import.meta.main) {
  // Given by the bench, which starts this process.
  const packages = JSON.parse(process.argv[2] ?? '[]') as readonly Served[];
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '/').slice(1);
    const tarball = packages.find(({ name }) => url === `${name}.tgz`);
    const found = packages.find(({ name }) => url === name);
    if (tarball !== undefined) {
      response.end(readFileSync(tarball.tarball));
    } else if (found === undefined) {
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

function packument({ name, version, bin, tarball }: Served, origin: string): object {
  const bytes = readFileSync(tarball);
  const dist = {
    tarball: `${origin}/${name}.tgz`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
  };
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, bin, dist } } };
}
