import type { PlopGeneratorConfig } from 'node-plop';
import { changing } from './changing.ts';
import { parseProviders } from './engine/edit.ts';
import type { CiProvider } from './engine/manifest.ts';
import type { Invocation } from './invocation.ts';
import { planning } from './planning.ts';
import { manifestOf, presentService } from './present.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway ci`: chooses providers, and brings their pipelines up to date
 */
export function ci(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('choose CI providers and write their pipelines', async () => {
    const { root, catalogue, raw } = presentService(invocation);
    const manifest = manifestOf(raw, catalogue);
    const providers = await chosen(invocation, manifest.ci);
    return {
      root,
      packageManager: manifest.packageManager,
      prepare: planning(root, catalogue, invocation, (now) => ({ ...manifestOf(now, catalogue), ci: providers })),
    };
  });
}

/** Without a flag and without anybody to ask, the providers stay as they are. */
async function chosen(
  { flags, interactive }: Invocation,
  present: readonly CiProvider[],
): Promise<readonly CiProvider[]> {
  if (flags.provider !== undefined) return parseProviders(flags.provider);
  if (!interactive) return present;
  const { askProviders } = await import('./prompts/providers.ts');
  return askProviders(present);
}
