import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, everywhere, type Flags } from './command.ts';

/** The folder beside this file, in the source and in the bundle. It has one file for each command. */
const folder = path.join(import.meta.dirname, 'commands');
const files = new Map(
  readdirSync(folder).flatMap((file) => {
    const { name, ext } = path.parse(file);
    return ext === '.ts' || ext === '.cjs' ? [[name, file] as const] : [];
  }),
);

/** The names of all commands, sorted. */
export const commandNames: readonly string[] = [...files.keys()].sort();

/**
 * Loads one command. No other command is loaded.
 * @param name one of `commandNames`
 * @returns the command
 */
export async function loadCommand(name: string): Promise<Command> {
  const file = path.join(folder, files.get(name) ?? '');
  // `require` loads a bundled file, because the loader of ES modules takes milliseconds to start.
  const loaded: unknown = file.endsWith('.cjs')
    ? createRequire(import.meta.url)(file)
    : await import(pathToFileURL(file).href);
  // Each file of the folder exports `command`. The type is checked in that file.
  return (loaded as { command: Command }).command;
}

/**
 * @param command any command
 * @returns all flags of the command, with those of every command
 */
export function flagsOf({ flags }: Command): Flags {
  return { ...flags, ...everywhere };
}
