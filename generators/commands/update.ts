import { changing, defineCommand } from '../command.ts';
import { planning } from '../planning.ts';
import { presentService, updatedManifest } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'update to this version of Slipway; also applies an edited slipway.json',
  flags: changing,
  ask: (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    return {
      root,
      packageManager: updatedManifest(raw, catalogue).packageManager,
      prepare: planning(root, catalogue, invocation, (now) => updatedManifest(now, catalogue)),
    };
  },
});
