import type { Rules } from './mergeTree.ts';

/**
 * The service prints its OpenAPI document from its own code. So when both sides changed a value, yours wins, and what you removed stays
 * removed. This is not a conflict. A test of the service fails when the document differs from the code.
 */
export const contractRules: Rules = {
  settle: (_path, { yours }) => ({ merged: yours }),
  staysDeleted: () => false,
  isWhole: () => true,
  matchItems: true,
};
