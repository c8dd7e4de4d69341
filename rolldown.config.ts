import { readdirSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'rolldown';

/** Plop's own prompts and file actions are never used: prompts are enquirer's, and files are written by `reconcile` alone. */
const unused = path.resolve('generators/unused.ts');

export default defineConfig({
  input: {
    'create-slipway': 'bin/create-slipway.ts',
    slipway: 'bin/slipway.ts',
    plopfile: 'generators/plopfile.ts',
    // A command is one file, there as here: it is found by its name.
    ...Object.fromEntries(
      readdirSync('generators/commands').map((file) => [
        `commands/${path.parse(file).name}`,
        `generators/commands/${file}`,
      ]),
    ),
  },
  platform: 'node',
  // Printers of the templates are bundled, too: their tsconfig is made by the build, which comes after.
  tsconfig: false,
  resolve: {
    // jsonc-parser's main is UMD, whose requires no bundler can follow.
    mainFields: ['module', 'main'],
    alias: {
      yaml: path.resolve('node_modules/yaml/browser/dist/index.js'),
      inquirer: unused,
      tinyglobby: unused,
      isbinaryfile: unused,
      resolve: unused,
      handlebars: unused,
      'node:fs/promises': unused,
    },
  },
  // CommonJS starts faster than ES modules, and only the chunks that a command needs are read.
  output: {
    dir: 'dist',
    cleanDir: true,
    format: 'cjs',
    // Node reads text in ASCII faster.
    charset: 'ascii',
    minify: true,
    entryFileNames: '[name].cjs',
    // What `new` runs is two files, of which a command that only tells something reads one: each file more that is read costs
    // as much as laying down three.
    codeSplitting: {
      groups: [
        { name: 'main', test: /[\\/]bin[\\/]main\.ts$/ },
        {
          name: 'new',
          test: /[\\/]generators[\\/](?!verify|settle|plopfile|commands[\\/]|prompts[\\/]|engine[\\/]reconcile[\\/](?:merge|joinBranches|joinManifests)|engine[\\/]resources[\\/](?:edit|from|plural)|resourceFile|foundResources|report[\\/]diff|io[\\/](?:database|process|git|past|editor|branches|scratch))/,
        },
      ],
    },
    chunkFileNames: '[name]-[hash].cjs',
  },
});
