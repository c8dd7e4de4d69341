/**
 * Prints plain data as YAML 1.2 in block style (https://yaml.org/spec/1.2.2/), without tags, anchors or folded lines.
 * @param value objects, arrays, strings, finite numbers, booleans and null; undefined members are omitted
 * @param comment lines for the top of the text, without `#`
 * @returns the text in the style of all composed files
 */
export function toYaml(value: unknown, comment: readonly string[] = []): string {
  const head = comment.map((line) => `# ${line}\n`).join('');
  return `${head}${block(value, '')}\n`;
}

function block(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.length > 0) {
    // The content of an item begins on the line of its dash.
    return value.map((item) => `${indent}- ${block(item, inner).trimStart()}`).join('\n');
  }
  const members = membersOf(value);
  if (members.length === 0) return indent + scalar(value);
  return members
    .map(([key, member]) => `${indent}${scalar(key)}:${isNested(member) ? '\n' : ' '}${after(member, inner)}`)
    .join('\n');
}

function after(member: unknown, indent: string): string {
  return isNested(member) ? block(member, indent) : scalar(member);
}

function isNested(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : membersOf(value).length > 0;
}

function membersOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).filter(([, member]) => member !== undefined);
}

/** Texts that the core schema (10.3.2) reads as another type. */
const notText =
  /^(?:~|null|true|false|[-+]?\d+|0o[0-7]+|0x[\da-f]+|[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?|[-+]?\.inf|\.nan)$/i;
/** Text that needs no quotes. It does not begin with an indicator (5.3) and contains nothing that ends it. */
const plain =
  /^(?![\s,[\]{}#&*!|>'"%@`]|[-?:](?:\s|$)|---|\.\.\.)(?!.*(?:: | #))[^\p{C}\u2028\u2029]*[^\s:\p{C}\u2028\u2029]$/u;

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (plain.test(value) && !notText.test(value)) return value;
  if (/^[^\p{C}\u2028\u2029]*$/u.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return JSON.stringify(value).replaceAll(/[\p{C}\u2028\u2029]/gu, escaped);
}

/** Escapes a character as in JSON and YAML: one number for each UTF-16 unit. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
