import { changing, defineCommand } from '../command.ts';
import path from 'node:path';
import { badInput } from '../engine/errors.ts';
import { withFaults } from '../engine/reconcile/faults.ts';
import { refuseIgnored, withPast } from '../io/service.ts';
import { readFileInside } from '../io/tree.ts';
import { packageManagerIn, presentService } from '../present.ts';
import { readText } from '../readText.ts';
import { parsePlan } from '../report/document.ts';

export const command = defineCommand({
  usage: '<plan.json>',
  summary: 'apply a plan; refused if the service has changed since',
  flags: changing,
  ask: (invocation) => {
    const [file, ...more] = invocation.args;
    if (file === undefined || more.length > 0) {
      throw badInput('slipway apply needs one plan', 'make it with: slipway plan add postgres --json > plan.json');
    }
    const { root } = presentService(invocation);
    const { entries, changes } = parsePlan(readText(path.resolve(invocation.cwd, file), 'the plan'), file);
    return {
      root,
      packageManager: packageManagerIn(root),
      isForeign: true,
      prepare: async () => {
        await refuseIgnored(
          root,
          changes.flatMap((change) => (change.expect === null ? [] : [change.path])),
        );
        const { findFault } = await import('../engine/reconcile/merge/merge.ts');
        // The content is read now, because it is shown after the changes are written.
        const before = new Map(changes.map(({ path: name }) => [name, readFileInside(root, name)?.bytes]));
        const prepared = { entries, changes, before: (name: string) => before.get(name) };
        return withPast(root, (service) => withFaults(service, prepared, findFault));
      },
    };
  },
});
