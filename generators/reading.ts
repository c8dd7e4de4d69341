import type { PlopGeneratorConfig } from 'node-plop';
import { type Answers, recorded } from './answers.ts';
import type { Result } from './result.ts';

/**
 * A generator of a command that only reads.
 * @param description what the command is for
 * @param work reads, and says what it found
 * @returns the generator: nothing to ask, nothing to write
 */
export function reading(description: string, work: () => Result | Promise<Result>): Partial<PlopGeneratorConfig> {
  return {
    description,
    prompts: () => Promise.resolve({}),
    actions: [(answers: Answers) => recorded(answers, async () => work())],
  };
}
