import { defineVersions } from './apiVersions.ts';

/**
 * The versions of this API, and how callers name one. It is yours: a new version is a line here, and then the compiler names each
 * resource that lacks it. docs/versioning.md says which strategy to take, and how a version ends.
 */
export const versions = defineVersions({
  strategy: 'path',
  /** For whoever names none: what there was before there were versions. */
  default: 1,
  versions: {
    1: {},
    2: {},
  },
});
