import { defineVersions } from './apiVersions.ts';

/**
 * The versions of this API. Add a line for a new version: each resource has it at once, and its `versions.ts` says what differs.
 * docs/versioning.md describes how callers name a version, and how a version ends.
 */
export const versions = defineVersions({
  /** For callers that name none: the API as it was before it had versions. */
  default: 1,
  versions: {
    1: {},
  },
});
