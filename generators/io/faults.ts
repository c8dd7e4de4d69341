import { exitCodes, SlipwayError } from '../engine/errors.ts';
import type { ExitCode } from '../engine/errors.ts';

/** The meaning of the operating system's error codes for a user, with a hint for each. */
const meanings: Readonly<Record<string, readonly [what: string, hint: string]>> = {
  ENOSPC: ['the disk is full', 'free some space and run the command again'],
  EDQUOT: ['your disk quota is used up', 'free some space and run the command again'],
  EACCES: ['permission denied', 'give your user the right to it (ls -ld shows whose it is) and run the command again'],
  EPERM: [
    'the operation is not permitted',
    'look at its owner and attributes (ls -ld), and at programs that hold it open',
  ],
  EROFS: ['the file system is read-only', 'mount it writable, or work on a copy of the service'],
  EBUSY: ['it is in use', 'close the programs that use it and run the command again'],
  EXDEV: ['it lies on another file system', 'unmount it, or move the service to one file system'],
  EMFILE: ['too many files are open', 'close programs or raise the limit (ulimit -n) and run the command again'],
  ENFILE: ['too many files are open', 'close programs and run the command again'],
  EIO: ['the disk failed', 'check the disk before you go on'],
  ENAMETOOLONG: ['its path is too long', 'move the service to a folder with a shorter path'],
  ENOTDIR: ['a file is in the place of a folder', 'move that file away and run the command again'],
  EISDIR: ['a folder is in the place of a file', 'move that folder away and run the command again'],
  ENOENT: ['it is gone', 'another program seems to be at work in this folder: run the command again when it is done'],
};

/**
 * @param error any thrown value
 * @returns the operating system's code (`ENOENT`, ...); undefined for every other error
 */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Turns a failed system call into an error for the user.
 * @param error the thrown value
 * @param doing the action and its file: `cannot write src/a.ts`
 * @param exitCode the exit code of the new error
 * @returns the error to throw; an error that is not from a system call is returned unchanged
 */
export function osFault(error: unknown, doing: string, exitCode: ExitCode = exitCodes.failed): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const [what, hint] = meanings[code] ?? [error instanceof Error ? error.message : code, undefined];
  return new SlipwayError(exitCode, `${doing}: ${what}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { code },
    cause: error,
  });
}
