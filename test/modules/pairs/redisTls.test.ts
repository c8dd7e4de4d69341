import { once } from 'node:events';
import { connect } from 'node:net';
import { type TLSSocket, createServer, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificate } from '../../../templates/modules/tls/files/internal/platform/tls/testing.ts';
import { serverUrl, testService } from '../../../templates/modules/redis/files/internal/platform/redis/testing.ts';

const url = serverUrl() ?? '';

/** A Redis that speaks TLS: what stands before the one that there is. */
async function secured(): Promise<{ url: string; certificate: string }> {
  const { cert, key } = await testCertificate();
  const { hostname, port } = new URL(url);
  const sockets = new Set<TLSSocket>();
  const server = createServer({ cert, key }, (client) => {
    sockets.add(client);
    const redis = connect(Number(port || 6379), hostname);
    client.on('error', () => undefined).on('close', () => redis.destroy());
    redis.on('close', () => client.destroy());
    client.pipe(redis).pipe(client);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const at = typeof address === 'object' ? address?.port : undefined;
  return { url: `rediss://127.0.0.1:${at}`, certificate: cert };
}

describe.skipIf(!url)('Redis by TLS (needs REDIS_URL)', () => {
  it('answers where its certificate is trusted', async () => {
    const { url: REDIS_URL, certificate } = await secured();
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, certificate]);
    onTestFinished(() => setDefaultCACertificates(before));
    const { redis, service } = await testService({ REDIS_URL });
    expect(await redis.server?.client.ping()).toBe('PONG');
    expect(await service.stop(0, 5000)).toBe(true);
  });

  it('is away where its certificate is not, and the log says why', async () => {
    const { url: REDIS_URL } = await secured();
    const { redis, service, log } = await testService({ REDIS_URL });
    expect(redis.server?.isUp).toBe(false);
    expect(log.text).toContain('Redis is out of reach');
    expect(log.text).toContain('self-signed certificate');
    await service.stop(0, 1000);
  });
});
