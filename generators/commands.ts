import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Command, everywhere, type Flags } from './command.ts';

/** Beside this file, as source or bundled: one file for each command. */
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
 * @param name one of `commandNames`
 * @returns the command; nothing else is loaded
 */
export async function loadCommand(name: string): Promise<Command> {
  const file = path.join(folder, files.get(name) ?? '');
  // A bundled file is loaded without the loader of ES modules, which takes milliseconds to start.
  const loaded: unknown = file.endsWith('.cjs')
    ? createRequire(import.meta.url)(file)
    : await import(pathToFileURL(file).href);
  // A file of that folder exports it: its types are checked there.
  return (loaded as { command: Command }).command;
}

/**
 * @param command any command
 * @returns all flags that it takes
 */
export function flagsOf({ flags }: Command): Flags {
  return { ...flags, ...everywhere };
}
