import { type CiProvider, ciProviders } from '../engine/manifest.ts';
import { ask } from './ask.ts';

const labels: Readonly<Record<CiProvider, string>> = { github: 'GitHub Actions', gitlab: 'GitLab CI' };

/**
 * @param chosen providers that are ticked at first
 * @returns the providers chosen, any number of them
 */
export async function askProviders(chosen: readonly CiProvider[]): Promise<CiProvider[]> {
  const answer = await ask({
    type: 'multiselect',
    message: 'Continuous integration (space to tick, enter to go on)',
    choices: ciProviders.map((name) => ({ name, message: labels[name] })),
    initial: chosen,
  });
  return ciProviders.filter((name) => Array.isArray(answer) && answer.includes(name));
}
