import { readFileSync } from 'node:fs';
import { badInput, exitCodes } from './engine/errors.ts';
import { codeOf, osFault } from './io/faults.ts';

/**
 * Reads a file that the user named.
 * @param file its absolute path
 * @param what it is to be: `the plan`
 * @returns its text
 * @throws SlipwayError (exit code 2) when it is not there or cannot be read
 */
export function readText(file: string, what: string): string {
  try {
    // In one piece: told the encoding, Node 20 reads it by 8 kB.
    return readFileSync(file).toString();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw badInput(`cannot read ${what}: there is no ${file}`);
    throw osFault(error, `cannot read ${what} ${file}`, exitCodes.badInput);
  }
}
