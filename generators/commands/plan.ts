import { changing, defineCommand } from '../command.ts';

/** `plan add postgres` is `add postgres --dry-run`: `bin/arguments.ts` reads it so. */
export const command = defineCommand({
  usage: '<command...>',
  summary: 'show what a command would do; with --json, print a plan for apply',
  // Each plan takes the flags of its command, too.
  flags: { diff: changing.diff, yes: changing.yes, conflict: changing.conflict },
});
