import type { PlopGeneratorConfig } from 'node-plop';
import { changing } from './changing.ts';
import { badInput } from './engine/errors.ts';
import { didYouMean } from './engine/suggest.ts';
import type { Invocation } from './invocation.ts';
import { openService, pathInService } from './io/service.ts';
import { planning } from './planning.ts';
import { manifestOf, presentService } from './present.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway eject <file...>`: Slipway lets go of files, which stay as they are
 */
export function eject(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('make files yours alone', () => {
    const { root, catalogue, raw } = presentService(invocation);
    const { files } = openService(root).lock;
    if (invocation.args.length === 0)
      throw badInput('slipway eject needs a file', 'slipway explain <file> tells who owns it');
    const paths = invocation.args.map((file) => templatePath(pathInService(file, invocation.cwd, root), files));
    return {
      root,
      packageManager: manifestOf(raw, catalogue).packageManager,
      notes: paths.map((file) => `${file} is yours alone; to give it back, take it out of "ejected" in slipway.json`),
      prepare: planning(root, catalogue, invocation, (now) => {
        const manifest = manifestOf(now, catalogue);
        return { ...manifest, ejected: [...new Set([...(manifest.ejected ?? []), ...paths])].sort() };
      }),
    };
  });
}

/** Where the templates put a file that the user may have moved. */
function templatePath(file: string, files: Readonly<Record<string, { at?: string }>>): string {
  const found = Object.entries(files).find(([path, { at }]) => (at ?? path) === file)?.[0];
  if (found !== undefined) return found;
  throw badInput(`${file} is not a file that Slipway wrote`, didYouMean(file, Object.keys(files)));
}
