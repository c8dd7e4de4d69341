import type { Composer } from './composer.ts';

/**
 * `.gitattributes`: text has LF line ends on every system, because the formatter and the tests expect them. Each line of Slipway's own
 * files is valid by itself, so Git merges two branches by keeping the lines of both.
 */
export const composeGitAttributes: Composer = () => [
  [
    '.gitattributes',
    {
      text: '* text=auto eol=lf\n/.slipway/*.jsonl merge=union -diff linguist-generated\n',
      ownership: 'merged',
    },
  ],
];
