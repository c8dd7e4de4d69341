import type { Declaration } from './linksOf.ts';

/** The links of routes that you write by hand: docs/hal.md shows how. The links of a resource are in its folder. */
export const links: readonly Declaration[] = [];
