import { SlipwayError } from '../engine/errors.ts';
import type { Field } from '../engine/model.ts';
import { parseFieldArgument, printField, isFilter } from '../engine/resources/fields.ts';
import { fieldNameFault, namesOf, resourceNameFault } from '../engine/resources/names.ts';
import colors from '../report/colors.ts';
import { alignedTable } from '../report/table.ts';
import { ask } from './ask.ts';

/**
 * @param present names of the resources that are there; naming one changes it
 * @returns the name of a resource, which can be used
 */
export async function askResource(present: readonly string[]): Promise<string> {
  const answer = await ask({
    type: 'input',
    message: present.length === 0 ? 'Resource' : `Resource (there are ${present.join(', ')})`,
    validate: (text: string) => nameFault(text) ?? true,
    footer: ({ input, error }: { input: string; error?: string | null }) => footer(error ? '' : input, nameFault),
  });
  return String(answer).trim();
}

function nameFault(text: string): string | undefined {
  return resourceNameFault(namesOf(text.trim()).kebab);
}

/**
 * Asks for fields until an empty line. The fields so far are shown above each question.
 * @returns at least one field
 */
export async function askFields(): Promise<Field[]> {
  const fields: Field[] = [];
  for (;;) {
    const faultOf = (text: string): string | undefined =>
      text.trim() === ''
        ? fields.length === 0
          ? 'a resource needs a field'
          : undefined
        : fieldFault(text.trim(), fields);
    const answer = await ask({
      type: 'input',
      message: 'Field, such as sku:string:unique (nothing ends the list)',
      header: () => alignedTable(fields.map((field) => ['', field.name, printField(field)])),
      validate: (text: string) => faultOf(text) ?? true,
      footer: ({ input, error }: { input: string; error?: string | null }) => footer(error ? '' : input, faultOf),
    });
    const text = String(answer).trim();
    if (text === '') return fields;
    fields.push(parseFieldArgument(text));
  }
}

/** Shown while the user types. After enter, enquirer shows the message of `validate`. */
function footer(input: string, faultOf: (text: string) => string | undefined): string {
  const fault = input.trim() === '' ? undefined : faultOf(input);
  return fault === undefined ? '' : colors.yellow(`▸ ${fault}`);
}

function fieldFault(text: string, fields: readonly Field[]): string | undefined {
  try {
    const field = parseFieldArgument(text);
    if (fields.some(({ name }) => name === field.name)) return `there is a field "${field.name}" already`;
    return fieldNameFault(field.name, isFilter(field));
  } catch (error) {
    if (!(error instanceof SlipwayError)) throw error;
    return [error.message, error.hint].filter(Boolean).join('; ');
  }
}
