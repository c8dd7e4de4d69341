import { stringify } from 'yaml';

/**
 * Prints a YAML file in the style that the services' formatter leaves alone: two spaces, single quotes, no folded lines.
 * @param comment what stands at the top of the file, without `#`; one line per line
 * @param content plain objects, arrays, strings, numbers and booleans, in the order to be printed
 * @returns the text of the file, ending in a newline
 */
export function toYaml(comment: string, content: Readonly<Record<string, unknown>>): string {
  const header = comment.split('\n').map((line) => `# ${line}\n`);
  const body = stringify(content, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false });
  return `${header.join('')}\n${body}`;
}
