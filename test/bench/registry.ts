import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

/** A package that the registry serves. */
export interface Served {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly tarball: string;
}

/** A registry of a few packages on this machine, so that a cold `npx` of each costs the same network. It runs as a worker. */
if (!isMainThread) {
  // Given by the bench, which starts this worker.
  const packages = workerData as readonly Served[];
  const server = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '/').slice(1);
    const tarball = packages.find(({ name }) => url === `${name}.tgz`);
    const found = packages.find(({ name }) => url === name);
    if (tarball !== undefined) return response.end(readFileSync(tarball.tarball));
    if (found !== undefined) {
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify(packument(found, `http://${request.headers.host}`)));
    }
    response.statusCode = 404;
    return response.end('{}');
  });
  server.listen(0, '127.0.0.1', () => {
    // Listening on TCP, the address is of this form.
    parentPort?.postMessage((server.address() as AddressInfo).port);
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
