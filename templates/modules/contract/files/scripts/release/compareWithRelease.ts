import { lastRelease } from './lastRelease.ts';

/**
 * Compares with the last release, or with that whose tag is the program's argument. Where there is none, it says so; where something
 * breaks, or it cannot be told, the program fails.
 * @param file of the contract, in the service's root folder
 * @param compare what compares with a release that has the file, and returns the status to exit with
 */
export function compareWithRelease(file: string, compare: (tag: string) => number): void {
  const tag = process.argv.slice(2).find((argument) => argument !== '--');
  const released = lastRelease(process.cwd(), file, tag);
  if ('nothing' in released) {
    process.stdout.write(`${file}: nothing to compare with: ${released.nothing}.\n`);
    return;
  }
  if ('fault' in released) process.stderr.write(`${file}: nothing was compared: ${released.fault}\n`);
  const status = 'fault' in released ? 1 : compare(released.tag);
  // Another contract may have failed before this one.
  if (status !== 0) process.exitCode = status;
}
