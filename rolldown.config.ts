import path from 'node:path';
import { defineConfig } from 'rolldown';

/** Plop's own prompts and file actions are never used: prompts are enquirer's, and files are written by `reconcile` alone. */
const unused = path.resolve('generators/unused.ts');

export default defineConfig({
  input: { 'create-slipway': 'bin/create-slipway.ts', slipway: 'bin/slipway.ts' },
  platform: 'node',
  // jsonc-parser's main is UMD, whose requires no bundler can follow.
  resolve: {
    mainFields: ['module', 'main'],
    alias: { inquirer: unused, tinyglobby: unused, isbinaryfile: unused, resolve: unused },
  },
  output: {
    dir: 'dist',
    format: 'esm',
    minify: true,
    chunkFileNames: '[name]-[hash].js',
    banner: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});
