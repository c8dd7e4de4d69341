import { rmSync, writeFileSync } from 'node:fs';
import { rename, symlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { config } from './config.ts';
import { tls } from './module.ts';
import { TestFiles, type TestService, testCertificate, testService } from './testing.ts';

let files: TestFiles;
let service: TestService | undefined;
beforeEach(async () => {
  files = new TestFiles();
  files.write(await testCertificate('first'));
});
afterEach(async () => {
  await service?.stop();
  service = undefined;
  files[Symbol.dispose]();
});

/** The name on the certificate that a new client is shown. */
async function nameShown(shown: TestService): Promise<unknown> {
  const socket = await shown.tls();
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject['CN'];
}

/** The ticket of a session: by TLS 1.3 it comes after the handshake. */
async function ticketOf(socket: TLSSocket): Promise<Buffer> {
  const [ticket]: unknown[] = await once(socket, 'session');
  if (!Buffer.isBuffer(ticket)) throw new Error('no ticket');
  return ticket;
}

describe('a new certificate', () => {
  it('is shown after SIGHUP, and connections that are open stay', async () => {
    service = await testService(files);
    const before = await service.tls();
    expect(await nameShown(service)).toBe('first');
    files.write(await testCertificate('second'));
    expect(await service.service.reload()).toBe(true);
    expect(await nameShown(service)).toBe('second');
    expect(before.destroyed).toBe(false);
  });

  it('is found behind links that are swapped', async () => {
    const link = `${files.cert}.link`;
    await symlink(files.cert, link);
    service = await testService({ cert: link, key: files.key });
    const { cert, key } = await testCertificate('second');
    writeFileSync(`${files.cert}.new`, cert);
    writeFileSync(files.key, key);
    await symlink(`${files.cert}.new`, `${link}.new`);
    await rename(`${link}.new`, link);
    expect(await service.service.reload()).toBe(true);
    expect(await nameShown(service)).toBe('second');
  });

  it.each([
    [
      'does not belong to the key',
      async () => writeFileSync(files.cert, (await testCertificate()).cert),
      /must be a certificate and its key/,
    ],
    ['is none', async () => writeFileSync(files.cert, 'nonsense'), /must be a certificate and its key/],
    ['has ended', async () => files.write(await testCertificate('old', new Date(1000))), /expired/],
  ])('that %s is not taken: the former stays, and that is told', async (_what, spoil, message) => {
    service = await testService(files);
    await spoil();
    expect(await service.service.reload()).toBe(false);
    expect(await service.service.reload()).toBe(false);
    expect(await nameShown(service)).toBe('first');
    const told = service.log.text.split('\n').filter((line) => line.includes('certificate not reloaded'));
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(service.log.text).not.toContain('PRIVATE KEY');

    files.write(await testCertificate('third'));
    expect(await service.service.reload()).toBe(true);
    expect(await nameShown(service)).toBe('third');
  });

  it('says when it ends', async () => {
    files.write(await testCertificate('first', new Date('2040-01-01T00:00:00Z')));
    service = await testService(files);
    expect(await service.metrics.text()).toMatch(/^tls_certificate_expiry_timestamp_seconds 2208988800$/m);
  });
});

describe('without a sound certificate', () => {
  it('or without its key, settings are refused: both are there, or neither', () => {
    const check = (env: Readonly<Record<string, string>>) => () => checkConfig([config], env, tls.rules);
    expect(check({})).not.toThrow();
    expect(check({ TLS_CERT_FILE: 'a', TLS_KEY_FILE: 'b' })).not.toThrow();
    expect(check({ TLS_CERT_FILE: 'a' })).toThrow('TLS_KEY_FILE: expected a file, because TLS_CERT_FILE is set');
    expect(check({ TLS_KEY_FILE: 'b' })).toThrow('TLS_CERT_FILE: expected a file, because TLS_KEY_FILE is set');
  });

  it.each<[string, () => unknown]>([
    ['a key that is none', () => writeFileSync(files.key, 'nonsense')],
    ['a certificate that is none', () => writeFileSync(files.cert, '')],
    ['a file that is not there', () => rmSync(files.cert)],
    ['the key of another', async () => writeFileSync(files.key, (await testCertificate()).key)],
  ])('the service does not start, and names settings and files: %s', async (_what, spoil) => {
    await spoil();
    await expect(testService(files)).rejects.toThrow(`${files.cert} and ${files.key}`);
  });
});

describe('a session', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is resumed by %s, also after a reload', async (maxVersion) => {
    service = await testService(files);
    const socket = await service.tls({ maxVersion });
    const session = maxVersion === 'TLSv1.2' ? socket.getSession() : await ticketOf(socket);
    files.write(await testCertificate('second'));
    await service.service.reload();
    const again = await service.tls({ maxVersion, session });
    expect(again.isSessionReused()).toBe(true);
  });

  it('is resumed by another instance with the same keys, and by no other', async () => {
    const keys = { TLS_TICKET_KEYS: randomBytes(48).toString('base64') };
    service = await testService(files, undefined, keys);
    const another = await testService(files, undefined, keys);
    const stranger = await testService(files);
    const session = await ticketOf(await service.tls());
    expect((await stranger.tls({ session })).isSessionReused()).toBe(false);
    expect((await another.tls({ session })).isSessionReused()).toBe(true);
    await Promise.all([another.stop(), stranger.stop()]);
  });
});
