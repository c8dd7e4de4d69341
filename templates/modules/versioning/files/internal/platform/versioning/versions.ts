import { defineVersions } from './apiVersions.ts';

/**
 * The versions of this API. Add a line for a new version: the compiler then reports each resource that lacks it.
 * docs/versioning.md describes how callers name a version, and how a version ends.
 */
export const versions = defineVersions({
  /** For callers that name none: the API as it was before it had versions. */
  default: 1,
  versions: {
    1: {},
    2: {},
  },
});
