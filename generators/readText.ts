import { badInput, exitCodes } from './engine/errors.ts';
import { readRegularFile } from './io/disk.ts';
import { osFault } from './io/faults.ts';

/**
 * Reads a file that the user named. The file may be a link.
 * @param file its absolute path
 * @param what name of the content, for errors: `the plan`
 * @returns its content
 * @throws SlipwayError (exit code 2) when the file is missing, cannot be read, is not a regular file or is too large
 */
export function readBytes(file: string, what: string): Buffer {
  try {
    const found = readRegularFile(file, { name: `cannot read ${what}: ${file}`, follow: true, hint: 'name another' });
    if (found !== undefined) return found.bytes;
  } catch (error) {
    throw osFault(error, `cannot read ${what} ${file}`, exitCodes.badInput);
  }
  throw badInput(`cannot read ${what}: there is no ${file}`);
}

/**
 * Reads a text file that the user named, as `readBytes` does.
 * @param file its absolute path
 * @param what name of the content, for errors
 * @returns its text
 * @throws SlipwayError (exit code 2) as `readBytes` does
 */
export function readText(file: string, what: string): string {
  return readBytes(file, what).toString();
}
