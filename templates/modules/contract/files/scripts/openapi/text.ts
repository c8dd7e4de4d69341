import { isObject } from './json.ts';

const identifier = /^[A-Za-z_$][\w$]*$/;

/**
 * @param name of a member
 * @returns the name as it stands in TypeScript
 */
export function keyOf(name: string): string {
  return identifier.test(name) ? name : quoted(name);
}

/**
 * @param text any
 * @returns a literal of TypeScript
 */
export function quoted(text: string): string {
  const inside = JSON.stringify(text).slice(1, -1);
  return `'${inside.replaceAll(String.raw`\"`, '"').replaceAll("'", String.raw`\'`)}'`;
}

/**
 * @param part of a document that may have a `summary` and a `description`, and be `deprecated`
 * @param indent of the line
 * @returns the comment above its declaration; empty when there is nothing to say
 */
export function commentOf(part: unknown, indent: string): string {
  if (!isObject(part)) return '';
  const said = [part['summary'], part['description']].filter((text) => typeof text === 'string');
  const lines = [...said, ...(part['deprecated'] === true ? ['@deprecated'] : [])]
    .flatMap((text) => text.split(/\r?\n/))
    .map((line) => line.replaceAll('*/', String.raw`*\/`));
  if (lines.length < 2) return lines.map((line) => `${indent}/** ${line} */\n`).join('');
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`;
}
