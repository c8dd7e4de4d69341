import pluralize from 'pluralize';

/**
 * @param name in kebab-case
 * @returns the name with its last word in the plural: `order-line` becomes `order-lines`
 */
export function pluralOf(name: string): string {
  return lastWord(name, pluralize.plural);
}

/**
 * @param name in kebab-case
 * @returns the name with its last word in the singular
 */
export function singularOf(name: string): string {
  return lastWord(name, pluralize.singular);
}

/**
 * @param name in kebab-case
 * @returns whether the name is the plural of another word
 */
export function isPlural(name: string): boolean {
  const singular = singularOf(name);
  return singular !== name && pluralOf(singular) === name;
}

function lastWord(name: string, change: (word: string) => string): string {
  const start = name.lastIndexOf('-') + 1;
  return name.slice(0, start) + change(name.slice(start));
}
