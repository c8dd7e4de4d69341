import { stringify } from 'yaml';

/**
 * @param value plain data
 * @param comment lines that stand at the top, without `#`
 * @returns YAML text as every composed file is written
 */
export function toYaml(value: unknown, comment: readonly string[] = []): string {
  const head = comment.map((line) => `# ${line}\n`).join('');
  return head + stringify(value, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false });
}
