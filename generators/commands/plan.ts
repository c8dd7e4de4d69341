import { changing, defineCommand } from '../command.ts';

/** The help entry of `plan`. `bin/arguments.ts` reads `plan add postgres` as `add postgres --dry-run`. */
export const command = defineCommand({
  usage: '<command...>',
  summary: 'show what a command would do; with --json, print a plan for apply',
  // `plan` also accepts the flags of the planned command.
  flags: { diff: changing.diff, yes: changing.yes, conflict: changing.conflict },
});
