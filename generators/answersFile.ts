import { badInput } from './engine/errors.ts';
import { isObject, parseUntrusted } from './engine/json.ts';
import { didYouMean } from './engine/suggest.ts';
import { readText } from './readText.ts';

/** The content of an `--answers` file. The keys are the long names of the flags. */
export interface AnswersFile {
  readonly directory?: string;
  readonly name?: string;
  readonly description?: string;
  readonly preset?: string;
  readonly modules?: readonly string[];
  /** Each item has the form `module.option=value`. */
  readonly set?: readonly string[];
  readonly packageManager?: string;
  readonly ci?: readonly string[];
  readonly platformTests?: boolean;
}

const kinds = {
  directory: 'a string',
  name: 'a string',
  description: 'a string',
  preset: 'a string',
  modules: 'a list of strings',
  set: 'a list of strings',
  packageManager: 'a string',
  ci: 'a list of strings',
  platformTests: 'true or false',
} as const satisfies Record<keyof AnswersFile, string>;

/**
 * @param file absolute path of an answers file
 * @returns the answers
 * @throws SlipwayError (exit code 2) when the file cannot be read, is not JSON, or holds an unknown or invalid answer
 */
export function readAnswers(file: string): AnswersFile {
  const value = parseUntrusted(readText(file, 'the answers'), file, 'mend it by hand');
  if (!isObject(value))
    throw badInput(`${file} does not hold an object of answers`, 'for example: { "name": "orders" }');
  for (const [key, answer] of Object.entries(value)) {
    const kind = Object.entries(kinds).find(([known]) => known === key)?.[1];
    if (kind === undefined)
      throw badInput(`${file}, /${key}: there is no such answer`, didYouMean(key, Object.keys(kinds)));
    if (!fits[kind](answer)) throw badInput(`${file}, /${key}: expected ${kind}`);
  }
  return value;
}

const fits = {
  'a string': (value: unknown) => typeof value === 'string',
  'a list of strings': isListOfStrings,
  'true or false': (value: unknown) => typeof value === 'boolean',
} as const;

function isListOfStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
