import path from 'node:path';
import type { PlopGeneratorConfig } from 'node-plop';
import { changing } from './changing.ts';
import { badInput } from './engine/errors.ts';
import { fieldOf } from './engine/json.ts';
import { packageManagers } from './engine/manifest.ts';
import type { Invocation } from './invocation.ts';
import { readFileInside } from './io/tree.ts';
import { presentService } from './present.ts';
import { readText } from './readText.ts';
import { parsePlan } from './report/document.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway apply plan.json`: carries out a plan made by `slipway plan --json`
 */
export function apply(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('carry out a plan, unless the service has changed since', () => {
    const [file, ...more] = invocation.args;
    if (file === undefined || more.length > 0) {
      throw badInput('slipway apply needs one plan', 'make it with: slipway plan add postgres --json > plan.json');
    }
    const { root, raw } = presentService(invocation);
    const { entries, changes } = parsePlan(readText(path.resolve(invocation.cwd, file), 'the plan'), file);
    return {
      root,
      // Nothing else is asked of the manifest: the plan may be that of an update, made for another catalogue than the service's.
      packageManager: packageManagers.find((known) => known === fieldOf(raw, 'packageManager')) ?? 'npm',
      isForeign: true,
      prepare: () => ({ entries, changes, before: (name) => readFileInside(root, name)?.bytes }),
    };
  });
}
