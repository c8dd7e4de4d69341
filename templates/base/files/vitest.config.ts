import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Many tests wait, for a process of their own or for time to pass: two more use the cores meanwhile.
    maxWorkers: availableParallelism() + 2,
    // What is waited for comes in a second or two, except on a machine that is busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    // What runs before each test file: modules bring a file each.
    setupFiles: globSync('test/setup/*.ts', { cwd: import.meta.dirname }),
    coverage: {
      provider: 'v8',
      // Your slices: the platform's code is tested at Slipway.
      include: ['internal/**/*.ts'],
      exclude: ['internal/platform/**', 'internal/migrations/**', '**/*.{test,suite,gen}.ts'],
      reporter: ['text-summary', 'lcov'],
      thresholds: { lines: 85, statements: 85, functions: 85, branches: 80 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{cmd,internal,pkg,api,scripts,test}/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts'],
          // The files of one worker share their imports, which halves the time of a run. A file that replaces modules (vi.mock)
          // needs a worker of its own: give such files a project without this line.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'integration', include: ['**/*.integration.test.ts'], exclude: ['node_modules', 'dist'] },
      },
    ],
  },
});
