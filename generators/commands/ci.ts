import { changing, defineCommand } from '../command.ts';
import { parseProviders } from '../engine/edit.ts';
import type { CiProvider } from '../engine/model.ts';
import { type Invocation, textOf } from '../invocation.ts';
import { monorepoOf } from '../io/monorepo.ts';
import { monorepoNotes } from '../monorepo.ts';
import { planning } from '../planning.ts';
import { manifestOf, presentService } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'choose CI providers and write their pipelines; find out whether the service is in a monorepo',
  flags: { ...changing, provider: { type: 'string', value: 'a,b', summary: 'github, gitlab, both, or none' } },
  ask: async (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    const manifest = manifestOf(raw, catalogue);
    const providers = await chosen(invocation, manifest.ci);
    const monorepo = await monorepoOf(root, invocation.flags.git);
    return {
      root,
      packageManager: manifest.packageManager,
      notes: monorepoNotes({ ...manifest, ci: providers }, monorepo),
      ...(providers.length > 0 && { next: ['commit and push: the pipeline runs then'] }),
      prepare: planning(root, catalogue, invocation, (now) => {
        const { monorepo: _, ...present } = manifestOf(now, catalogue);
        return { ...present, ci: providers, ...(monorepo && { monorepo }) };
      }),
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
