import type { Composer } from './composer.ts';

/** `.slipway/.gitattributes`: what Slipway remembers is found by its hash, so Git must not turn its line ends. */
export const composeGitAttributes: Composer = () => [
  ['.slipway/.gitattributes', { text: '* -text\n', ownership: 'managed' }],
];
