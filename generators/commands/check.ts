import { changing, defineCommand } from '../command.ts';
import { planning } from '../planning.ts';
import { manifestOf, presentService } from '../present.ts';

export const command = defineCommand({
  usage: '',
  summary: 'check whether the files match slipway.json; exit code 4 if not',
  flags: { diff: changing.diff, conflict: changing.conflict },
  ask: (invocation) => {
    const { root, catalogue, raw } = presentService(invocation);
    return {
      root,
      packageManager: manifestOf(raw, catalogue).packageManager,
      examine: true,
      prepare: planning(root, catalogue, invocation, (now) => manifestOf(now, catalogue)),
    };
  },
});
