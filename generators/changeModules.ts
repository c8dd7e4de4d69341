import { badInput } from './engine/errors.ts';
import type { Catalogue, Manifest } from './engine/model.ts';
import { validateManifest } from './engine/parseManifest.ts';
import { findModule } from './engine/resolve.ts';
import type { Invocation } from './invocation.ts';
import { planning } from './planning.ts';
import { manifestOf, type Present } from './present.ts';
import type { Intent } from './reconcile.ts';

/**
 * @param invocation how the command was called
 * @param present the service; its catalogue has the summaries of the modules
 * @param ids modules to choose from
 * @param message the question
 * @returns the chosen modules
 * @throws SlipwayError (exit code 2) without a terminal, or when there is nothing to choose
 */
export async function chooseModules(
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

/**
 * @param ids modules that are added
 * @param given options that are known, each of the form `module.option=value`
 * @param catalogue all modules
 * @returns the other options of the modules, in the same form, as the user chose them
 */
export async function chooseOptions(
  ids: readonly string[],
  given: readonly string[],
  catalogue: Catalogue,
): Promise<string[]> {
  const { askOptions } = await import('./prompts/service.ts');
  return askOptions(
    ids.map((id) => findModule(id, catalogue)),
    given,
  );
}

/**
 * @param invocation how the command was called
 * @param present the service
 * @param edit the change of the manifest
 * @param notes what the user should know
 * @returns the intent of the command
 */
export function changeModules(
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
