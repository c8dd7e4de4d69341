import { changeModules, chooseModules } from '../changeModules.ts';
import { changing, defineCommand } from '../command.ts';
import { removeModules } from '../engine/edit.ts';
import { manifestOf, presentService } from '../present.ts';

export const command = defineCommand({
  usage: '<module...>',
  summary: 'remove modules; refused while your code imports them',
  flags: changing,
  ask: async (invocation) => {
    const present = presentService(invocation);
    const manifest = manifestOf(present.raw, present.catalogue);
    const there = Object.keys(manifest.modules);
    const ids =
      invocation.args.length > 0
        ? invocation.args
        : await chooseModules(invocation, present, there, 'Modules to remove');
    return changeModules(invocation, present, (now) => removeModules(now, ids, present.catalogue), []);
  },
});
