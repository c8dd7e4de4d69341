/**
 * Carries a new name of the service into a file of the user. Lines that are still as Slipway wrote them are replaced.
 * @param yours the file on disk, with LF line ends
 * @param former the text that the templates give with the former name
 * @param wanted the text that the templates give with the new name; it has as many lines
 * @param name the former name; undefined when only the description has changed
 * @returns the text, and the numbers of the user's own lines that contain the former name
 */
export function followNames(
  yours: string,
  former: string,
  wanted: string,
  name: string | undefined,
): { readonly text: string; readonly left: readonly number[] } {
  const next = wanted.split('\n');
  const renamed = new Map(former.split('\n').map((line, index) => [line, next[index] ?? line]));
  const known = new Set(next);
  const lines = yours.split('\n').map((line) => renamed.get(line) ?? line);
  if (name === undefined) return { text: lines.join('\n'), left: [] };
  // A name has letters, digits and hyphens only.
  const word = new RegExp(`(?<![a-z0-9])${name}(?![a-z0-9])`, 'i');
  const left = lines.flatMap((line, index) => (!known.has(line) && word.test(line) ? [index + 1] : []));
  return { text: lines.join('\n'), left };
}
