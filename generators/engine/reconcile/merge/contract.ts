import type { Rules } from './mergeTree.ts';

/**
 * An OpenAPI document is printed from the service's own code. So where both sides changed one thing, yours is right, and what you
 * have taken out stays out: it is no conflict, and a test of the service tells when the document is not what the code says.
 */
export const contractRules: Rules = {
  settle: () => 'yours',
  staysDeleted: () => false,
  isWhole: () => true,
  matchItems: true,
};
