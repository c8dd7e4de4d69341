import { badInput, exitCodes } from './engine/errors.ts';
import { readRegularFile } from './io/disk.ts';
import { osFault } from './io/faults.ts';

/**
 * Reads a file that the user named. The file may be a link.
 * @param file its absolute path
 * @param what name of the content, for errors: `the plan`
 * @returns its text
 * @throws SlipwayError (exit code 2) when the file is missing, cannot be read, is not a regular file or is too large
 */
export function readText(file: string, what: string): string {
  try {
    const found = readRegularFile(file, { name: `cannot read ${what}: ${file}`, follow: true, hint: 'name another' });
    // Decoding is a separate step: with an `encoding`, Node 20 reads in pieces of 8 kB.
    if (found !== undefined) return found.bytes.toString();
  } catch (error) {
    throw osFault(error, `cannot read ${what} ${file}`, exitCodes.badInput);
  }
  throw badInput(`cannot read ${what}: there is no ${file}`);
}
