import { Document } from 'yaml';

/**
 * @param value plain data
 * @param comment lines that stand at the top, without `#`
 * @returns YAML text as every composed file is written
 */
export function toYaml(value: unknown, comment: readonly string[] = []): string {
  const head = comment.map((line) => `# ${line}\n`).join('');
  // The library's `stringify` does the same, but lies in one file with its parser, which printing need not load.
  return head + new Document(value, { aliasDuplicateObjects: false }).toString({ lineWidth: 0, singleQuote: true });
}
