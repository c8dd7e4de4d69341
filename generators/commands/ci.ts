import { changing, defineCommand } from '../command.ts';
import { parseProviders } from '../engine/edit.ts';
import type { CiProvider } from '../engine/model.ts';
import { type Invocation, textOf } from '../invocation.ts';
import { planning } from '../planning.ts';
import { manifestOf, presentService } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'choose CI providers and write their pipelines',
  flags: { ...changing, provider: { type: 'string', value: 'a,b', summary: 'github, gitlab, both, or none' } },
  ask: async (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    const manifest = manifestOf(raw, catalogue);
    const providers = await chosen(invocation, manifest.ci);
    return {
      root,
      packageManager: manifest.packageManager,
      ...(providers.length > 0 && { next: ['commit and push: the pipeline runs then'] }),
      prepare: planning(root, catalogue, invocation, (now) => ({ ...manifestOf(now, catalogue), ci: providers })),
    };
  },
});

/** Keeps the present providers when there is no flag and no terminal. */
async function chosen(invocation: Invocation, present: readonly CiProvider[]): Promise<readonly CiProvider[]> {
  const provider = textOf(invocation, 'provider');
  if (provider !== undefined) return parseProviders(provider);
  if (!invocation.interactive) return present;
  const { askProviders } = await import('../prompts/providers.ts');
  return askProviders(present);
}
