import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { scratchFolder } from '../../helpers/cli.ts';
import { scratchService } from '../../helpers/scratchService.ts';

vi.setConfig({ testTimeout: 120_000 });

const root = path.resolve(import.meta.dirname, '../../..');

function plop(cwd: string, ...args: string[]) {
  const program = path.join(root, 'node_modules/plop/bin/plop.js');
  return spawnSync(process.execPath, [program, ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
}

it('a team’s own plopfile loads Slipway: its commands are generators, and a step of another generator', () => {
  using service = scratchService();
  mkdirSync(path.join(service.path, 'node_modules'));
  symlinkSync(root, path.join(service.path, 'node_modules/create-slipway'));
  writeFileSync(
    path.join(service.path, 'plopfile.mjs'),
    `export default async function (plop) {
      await plop.load('create-slipway');
      plop.setGenerator('cached-slice', {
        prompts: [],
        actions: [
          { type: 'add', path: 'internal/prices/domain.ts', template: 'export const currency = "EUR";\\n' },
          { type: 'reconcile', command: ['add', 'redis', '--no-install'] },
        ],
      });
      plop.setGenerator('typo', { prompts: [], actions: [{ type: 'reconcile', command: ['add', 'reddis', '--no-install'] }] });
    }`,
  );
  const manifest = (): Record<string, unknown> =>
    JSON.parse(readFileSync(path.join(service.path, 'slipway.json'), 'utf8'));

  expect(plop(service.path, 'cached-slice')).toMatchObject({ status: 0 });
  expect(existsSync(path.join(service.path, 'internal/prices/domain.ts'))).toBe(true);
  expect(manifest()).toMatchObject({ modules: { redis: {} } });

  const typo = plop(service.path, 'typo');
  expect(typo.status).not.toBe(0);
  expect(typo.stdout + typo.stderr).toContain('there is no module "reddis"');

  const listed = plop(service.path, 'slipway-list');
  expect(listed.stdout).toContain('redis');
  expect(listed.status).toBe(0);
});

it('`npx plop module` makes the folder of a new module', () => {
  using scratch = scratchFolder();
  const { status, stderr } = plop(root, '--dest', scratch.path, 'module', 'rate-card', 'Prices by weight', 'api');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const read = (file: string): string =>
    readFileSync(path.join(scratch.path, 'templates/modules/rate-card', file), 'utf8');
  expect(read('module.ts')).toContain("wiring: { rateCard: 'internal/platform/rate-card/module.ts' }");
  expect(read('files/internal/platform/rate-card/config.ts')).toContain('RATE_CARD_TEXT: Type.String(');
  expect(read('files/internal/platform/rate-card/routes.test.ts')).toContain('rateCardRoutes(http');
  expect(read('files/docs/rate-card.md')).toMatch(/^# Rate card\n/);
  const refused = plop(root, '--dest', scratch.path, 'module', 'Rate Card', 'Prices by weight', 'api');
  expect(refused.status).not.toBe(0);
});
