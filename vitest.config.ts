import os from 'node:os';
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { anyPorts, nodeOptions, serviceTree } from './test/helpers/serviceTree.ts';

const minutes = 60_000;

// Runs of Slipway record there how to take them back, and not in the home folder.
process.env['XDG_STATE_HOME'] = path.join(os.tmpdir(), 'slipway-test-state');

/** Only when it is asked for by name: it runs the command line hundreds of times. */
const lifecycle = {
  test: { name: 'lifecycle', include: ['test/lifecycle/**/*.test.ts'], testTimeout: 4 * minutes },
};

/** Only when it is asked for by name: it packs, installs and builds whole services. */
const e2e = {
  test: {
    name: 'e2e',
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: 'test/e2e/setup.ts',
    testTimeout: 20 * minutes,
    hookTimeout: 20 * minutes,
    // They measure how a service behaves under load.
    fileParallelism: false,
  },
};

export default defineConfig({
  test: {
    // Most tests wait for processes: no core needs to be left free.
    maxWorkers: '100%',
    projects: [
      // What is waited for comes in a second or two, except on a machine that is busy.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 2 * minutes } },
      { test: { name: 'laws', include: ['test/laws/**/*.test.ts'], testTimeout: 2 * minutes } },
      {
        plugins: [serviceTree()],
        test: {
          name: 'modules',
          include: ['test/modules/**/*.test.ts', 'templates/**/files/**/*.test.ts'],
          // As in a service.
          isolate: false,
          // They need a whole service: test/lifecycle/openapi.test.ts and the tier e2e run them in such.
          exclude: [
            'templates/**/files/api/*.test.ts',
            'templates/**/files/internal/platform/cluster/*.integration.test.ts',
          ],
          setupFiles: 'templates/modules/contract/files/test/setup/contract.ts',
          testTimeout: 2 * minutes,
          hookTimeout: 2 * minutes,
          expect: { poll: { timeout: minutes } },
          env: { NODE_OPTIONS: nodeOptions, ...anyPorts },
        },
      },
      { test: { name: 'golden', include: ['test/golden/*.test.ts'], testTimeout: minutes } },
      ...[lifecycle, e2e].filter(({ test }) =>
        process.argv.some((word) => word.replace('--project=', '') === test.name),
      ),
    ],
  },
});
