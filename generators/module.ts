import type { PlopGeneratorConfig } from 'node-plop';
import { changing } from './changing.ts';
import { offeredModules } from './engine/catalogue.ts';
import { addModules, removeModules, setOptions } from './engine/edit.ts';
import { badInput } from './engine/errors.ts';
import type { Manifest } from './engine/manifest.ts';
import { validateManifest } from './engine/parseManifest.ts';
import { withRequired } from './engine/resolve.ts';
import type { Invocation } from './invocation.ts';
import { planning } from './planning.ts';
import { manifestOf, type Present, presentService } from './present.ts';
import type { Intent } from './reconcile.ts';

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway add <module...>`
 */
export function add(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('bring modules to this service', async () => {
    const present = presentService(invocation);
    const { catalogue } = present;
    const manifest = manifestOf(present.raw, catalogue);
    const absent = offeredModules(catalogue)
      .map(({ id }) => id)
      .filter((id) => !Object.hasOwn(manifest.modules, id));
    const ids =
      invocation.args.length > 0 ? invocation.args : await choose(invocation, present, absent, 'Modules to add');
    const brought = withRequired(ids, catalogue).filter((id) => !ids.includes(id) && absent.includes(id));
    const already = ids.filter((id) => Object.hasOwn(manifest.modules, id));
    return intent(
      invocation,
      present,
      (now) => setOptions(addModules(now, ids, catalogue), invocation.flags.set, catalogue),
      [
        ...already.map((id) => `${id} is already in this service`),
        ...brought.map(
          (id) =>
            `${id} comes with it: ${ids.filter((wanted) => withRequired([wanted], catalogue).includes(id)).join(', ')} requires it`,
        ),
      ],
    );
  });
}

/**
 * @param invocation how the command was called
 * @returns the generator of `slipway remove <module...>`
 */
export function remove(invocation: Invocation): Partial<PlopGeneratorConfig> {
  return changing('take modules away again', async () => {
    const present = presentService(invocation);
    const manifest = manifestOf(present.raw, present.catalogue);
    const there = Object.keys(manifest.modules);
    const ids =
      invocation.args.length > 0 ? invocation.args : await choose(invocation, present, there, 'Modules to remove');
    return intent(invocation, present, (now) => removeModules(now, ids, present.catalogue), []);
  });
}

async function choose(
  invocation: Invocation,
  { catalogue }: Present,
  ids: readonly string[],
  message: string,
): Promise<string[]> {
  if (!invocation.interactive)
    throw badInput(
      `slipway ${invocation.command} needs a module`,
      `for example: slipway ${invocation.command} postgres`,
    );
  if (ids.length === 0) throw badInput(`there is no module to ${invocation.command}`, 'slipway list');
  const { askModules } = await import('./prompts/modules.ts');
  return askModules(message, ids, catalogue);
}

function intent(
  invocation: Invocation,
  present: Present,
  edit: (now: Manifest) => Manifest,
  notes: readonly string[],
): Intent {
  const { root, catalogue } = present;
  return {
    root,
    packageManager: manifestOf(present.raw, catalogue).packageManager,
    notes,
    prepare: planning(root, catalogue, invocation, (raw) =>
      validateManifest(edit(manifestOf(raw, catalogue)), catalogue),
    ),
  };
}
