import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, deployTree, moduleIds } from '../helpers/deployTree.ts';

const file = 'deploy/compose/compose.yaml';
/** Version 1 knows neither `include` nor `start_interval`. */
const hasCompose = /^v?[2-9]/.test(
  spawnSync('docker-compose', ['version', '--short'], { encoding: 'utf8' }).stdout ?? '',
);
// Where everything is to be proved, nothing is skipped.
const isSkipped = !hasCompose && process.env['CI'] === undefined;

describe.skipIf(isSkipped).each([[[]], [moduleIds]])(
  `docker-compose, with the modules %j${isSkipped ? ' (missing: docker-compose 2)' : ''}`,
  (ids) => {
    const root = mkdtempSync(join(tmpdir(), 'slipway-compose-'));
    const run = () =>
      spawnSync('docker-compose', ['--file', file, 'config', '--format=json'], { cwd: root, encoding: 'utf8' });
    const config = (): Document => {
      const { status, stdout, stderr } = run();
      expect([status, stderr]).toEqual([0, '']);
      return JSON.parse(stdout);
    };

    beforeAll(async () => {
      for (const [path, text] of deployTree(ids)) {
        mkdirSync(join(root, dirname(path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    });
    afterAll(() => rmSync(root, { recursive: true }));

    it('reads it without a warning, as one project', () => {
      const { name, services } = config();
      expect(name).toBe('orders');
      expect(Object.keys(services)).toEqual(
        ids.length === 0 ? ['server'] : expect.arrayContaining(['server', 'migrate']),
      );
    });

    it('finds what it builds, and gives the service what its modules say beside what it has', () => {
      const { server } = config().services;
      expect(existsSync(join(server.build.context, server.build.dockerfile))).toBe(true);
      expect(server).toMatchObject({ read_only: true, cap_drop: ['ALL'], tmpfs: ['/tmp'], stop_grace_period: '30s' });
      if (ids.length > 0) expect(server.environment).toHaveProperty('DATABASE_URL');
    });

    it('refuses a key that it does not know', () => {
      writeFileSync(join(root, 'deploy/compose/service.yaml'), 'services: { server: { imagee: orders } }');
      const { status, stderr } = run();
      expect(status).toBeGreaterThan(0);
      expect(stderr).toContain('imagee');
    });
  },
);
