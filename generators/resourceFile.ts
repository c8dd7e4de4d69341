import { badInput } from './engine/errors.ts';
import { isObject, parseUntrusted } from './engine/json.ts';
import { parseField } from './engine/resources/fields.ts';
import { fieldNameOf } from './engine/resources/names.ts';
import type { ResourceRequest } from './engine/resources/edit.ts';
import { readText } from './readText.ts';

/**
 * Reads resources from a file: name → resource, as in the manifest, without the parts that Slipway keeps itself.
 * @param file its absolute path
 * @returns what to create or change, in the order of the file
 * @throws SlipwayError (exit code 2) when the file cannot be read, is not JSON, or holds something else
 */
export function readResources(file: string): ResourceRequest[] {
  const value = parseUntrusted(readText(file, 'the resources'), file, 'correct it by hand');
  const example = '{ "order": { "fields": { "sku": "string:unique" } } }';
  if (!isObject(value) || Object.keys(value).length === 0)
    throw badInput(`${file} holds no resources`, `for example: ${example}`);
  return Object.entries(value).map(([name, resource]) => {
    const fault = (at: string, expected: string): Error =>
      badInput(`${file}, /${name}${at}: expected ${expected}`, `for example: ${example}`);
    if (!isObject(resource)) throw fault('', 'an object');
    const { plural, fields, states = {}, sparse, ...others } = resource;
    const unknown = Object.keys(others).find((key) => key !== 'created' && key !== 'changes');
    if (unknown !== undefined)
      throw badInput(`${file}, /${name}/${unknown}: there is no such key`, 'known: plural, fields, states, sparse');
    if (plural !== undefined && typeof plural !== 'string') throw fault('/plural', 'a string');
    if (!isTexts(fields)) throw fault('/fields', 'field → text');
    if (!isTexts(states)) throw fault('/states', 'field → transitions');
    if (sparse !== undefined && typeof sparse !== 'boolean') throw fault('/sparse', 'true or false');
    return {
      name,
      plural,
      fields: Object.entries(fields).map(([field, text]) => parseField(fieldNameOf(field), text)),
      states,
      sparse,
    };
  });
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return isObject(value) && Object.values(value).every((text) => typeof text === 'string');
}
