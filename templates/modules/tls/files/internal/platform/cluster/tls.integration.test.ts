import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServiceProcess, startProcess } from '../../../scripts/service.ts';
import { TestFiles, testCertificate } from '../tls/testing.ts';
import { loadWhileRolling, twoWorkers } from './testing.ts';

const files = new TestFiles();
let service: ServiceProcess;
beforeAll(async () => {
  files.write(await testCertificate());
  service = startProcess(['cmd/cluster/main.ts'], {
    ...twoWorkers,
    TLS_CERT_FILE: files.cert,
    TLS_KEY_FILE: files.key,
  });
  await service.logged('all workers are ready');
}, 60_000);
afterAll(() => {
  service.process.kill('SIGKILL');
  files[Symbol.dispose]();
});

it('resumes in one worker the session of another', async () => {
  const options = { host: '127.0.0.1', port: service.port('http'), rejectUnauthorized: false };
  const first = connect(options);
  const [session]: unknown[] = await once(first, 'session');
  if (!Buffer.isBuffer(session)) throw new Error('no session');
  first.destroy();
  for (let count = 0; count < 4; count += 1) {
    const again = connect({ ...options, session });
    await once(again, 'secureConnect');
    expect(again.isSessionReused()).toBe(true);
    again.destroy();
  }
});

it('fails no request by TLS while all workers are replaced', async () => {
  const { succeeded, failures } = await loadWhileRolling(service, 'https');
  expect(failures).toEqual([]);
  expect(succeeded).toBeGreaterThan(50);
});

it('ends with exit code 0 when it is told to', async () => {
  expect(await service.stop()).toEqual({ code: 0, signal: null });
});
