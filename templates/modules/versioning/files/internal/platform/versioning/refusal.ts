import { type Problem, problem } from '../http/problems/problem.ts';
import type { Fault } from './strategy.ts';

/**
 * @param fault why no version serves a request
 * @param known versions that the resource has
 * @returns what the caller learns
 */
export function refusalOf({ reason, status, named }: Fault, known: readonly number[]): Problem {
  const choice = `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`;
  const detail = {
    unknown: `There is no version "${named}" of this resource. ${choice}`,
    retired: `Version ${named} of this API was retired. ${choice}`,
    contradiction: `The request names more than one version: ${named}.`,
  }[reason];
  return problem(status, { code: codes[reason], detail, details: { named, known } });
}

const codes = { unknown: 'version_unknown', retired: 'version_retired', contradiction: 'version_contradiction' };
