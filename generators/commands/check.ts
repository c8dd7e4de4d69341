import { changing, defineCommand } from '../command.ts';
import { planning } from '../planning.ts';
import { isBehind, manifestOf, presentService, updatedManifest } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'check whether the files match slipway.json; exit code 4 if not',
  flags: { diff: changing.diff, conflict: changing.conflict },
  ask: (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    // The files of a service at an older catalogue are compared with what an update would make of them.
    const manifestIn = isBehind(raw, catalogue) ? updatedManifest : manifestOf;
    return {
      root,
      packageManager: manifestIn(raw, catalogue).packageManager,
      examine: true,
      prepare: planning(root, catalogue, invocation, (now) => manifestIn(now, catalogue)),
    };
  },
});
