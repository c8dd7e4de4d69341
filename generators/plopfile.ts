import type { NodePlopAPI, PlopGeneratorConfig } from 'node-plop';
import type { Answers } from './answers.ts';
import type { Invocation } from './invocation.ts';

type Generator = (invocation: Invocation) => Partial<PlopGeneratorConfig>;

/** One generator for each command: prompts that end in an intent, and what is done with it. Each is loaded when it is called. */
const generators: Readonly<Record<string, () => Promise<Generator>>> = {
  new: async () => (await import('./service.ts')).createService,
  add: async () => (await import('./module.ts')).add,
  remove: async () => (await import('./module.ts')).remove,
  ci: async () => (await import('./ci.ts')).ci,
  update: async () => (await import('./update.ts')).update,
  check: async () => (await import('./update.ts')).check,
  apply: async () => (await import('./apply.ts')).apply,
  eject: async () => (await import('./eject.ts')).eject,
  list: async () => (await import('./list.ts')).list,
  info: async () => (await import('./info.ts')).info,
  explain: async () => (await import('./explain.ts')).explain,
  doctor: async () => (await import('./doctor.ts')).doctor,
};

/**
 * Registers the command that was called as a plop generator.
 * @param plop plop's programmatic interface
 * @param invocation how the command was called
 * @param reconcile the one action by which files are written
 */
export default async function plopfile(
  plop: NodePlopAPI,
  invocation: Invocation,
  reconcile: (answers: Answers) => Promise<string>,
): Promise<void> {
  const generator = await generators[invocation.command]?.();
  plop.setActionType('reconcile', reconcile);
  plop.setGenerator(invocation.command, generator?.(invocation) ?? {});
}
