import type { NodePlopAPI, PlopGeneratorConfig } from 'node-plop';
import { apply } from './apply.ts';
import { ci } from './ci.ts';
import { doctor } from './doctor.ts';
import { eject } from './eject.ts';
import { explain } from './explain.ts';
import { info } from './info.ts';
import type { Invocation } from './invocation.ts';
import { list } from './list.ts';
import { add, remove } from './module.ts';
import { createService } from './service.ts';
import { check, update } from './update.ts';

/** One generator for each command: prompts that end in an intent, and what is done with it. */
const generators: Readonly<Record<string, (invocation: Invocation) => Partial<PlopGeneratorConfig>>> = {
  new: createService,
  add,
  remove,
  ci,
  update,
  check,
  apply,
  eject,
  list,
  info,
  explain,
  doctor,
};

/**
 * Registers every command as a plop generator.
 * @param plop plop's programmatic interface
 * @param invocation how the command was called
 * @param reconcile the one action by which files are written
 */
export default function plopfile(
  plop: NodePlopAPI,
  invocation: Invocation,
  reconcile: (answers: object) => Promise<string>,
): void {
  plop.setActionType('reconcile', reconcile);
  for (const [name, generator] of Object.entries(generators)) plop.setGenerator(name, generator(invocation));
}
