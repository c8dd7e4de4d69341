import type { PlopGeneratorConfig } from 'node-plop';
import type { Intent } from './reconcile.ts';

/**
 * A generator of a command that changes a service.
 * @param description what the command is for
 * @param ask finds out what is wanted
 * @returns the generator: its one action is `reconcile`
 */
export function changing(description: string, ask: () => Intent | Promise<Intent>): Partial<PlopGeneratorConfig> {
  return { description, prompts: async () => ({ intent: await ask() }), actions: [{ type: 'reconcile' }] };
}
