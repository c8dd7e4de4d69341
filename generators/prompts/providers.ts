import { type CiProvider, ciProviders } from '../engine/model.ts';
import { askMany } from './choose.ts';

const labels: Readonly<Record<CiProvider, string>> = { github: 'GitHub Actions', gitlab: 'GitLab CI' };

/**
 * @param chosen providers that are selected at first
 * @returns the chosen providers, any number of them
 */
export async function askProviders(chosen: readonly CiProvider[]): Promise<CiProvider[]> {
  const choices = ciProviders.map((name) => ({ name, message: labels[name] }));
  const answer = await askMany('Continuous integration', choices, chosen);
  return ciProviders.filter((name) => answer.includes(name));
}
