import type { Declaration } from './linksOf.ts';

/** Relations of your own, such as `api:cancel`, and the meaning of each. A relation that is not here means what its operations do. */
export const relations = {} as const;

/** The links of routes that you write by hand: docs/hal.md shows how. The links of a resource are in its folder. */
export const links: readonly Declaration[] = [];
