/** A parameter in the path of a route, as find-my-way has it, or an escaped colon. */
const parameter = /::|:(\w+)(?:\([^)]*\))?/;

/** The path of a route. References are relative to it (RFC 3986, 4.2): they hold behind any proxy that puts something before it. */
export class Path {
  /** What leads from a reply of this route to where all paths begin. */
  readonly root: string;
  /** As OpenAPI and RFC 6570 write it: `/items/{id}`. */
  readonly template: string;
  /** What stands around the parameters: one more than there are. */
  readonly #literals: readonly string[] = [];
  readonly #names: readonly string[] = [];

  /**
   * @param url as the route was registered: `/items/:id`
   * @throws {TypeError} on one whose length is not known: with `*` or `?`
   */
  constructor(url: string) {
    if (/[*?]/.test(url.replaceAll(/\([^)]*\)/g, ''))) throw new TypeError(`links cannot lead to ${url}`);
    const literals = [''];
    const names: string[] = [];
    for (let rest = url; rest !== '';) {
      const found = parameter.exec(rest);
      literals.push(`${literals.pop()}${rest.slice(0, found?.index)}`);
      if (found === null) break;
      const [text, name] = found;
      if (name === undefined) literals.push(`${literals.pop()}:`);
      else {
        names.push(name);
        literals.push('');
      }
      rest = rest.slice(found.index + text.length);
    }
    this.#literals = literals;
    this.#names = names;
    this.template = literals
      .map((literal, index) => literal + (index < names.length ? `{${names[index]}}` : ''))
      .join('');
    // With a step of its own even where it needs none: what begins with `a:` would be a scheme.
    this.root = '../'.repeat(this.template.split('/').length - 2) || './';
  }

  /**
   * @param values of the parameters
   * @returns the path; undefined where none leads: a value that is missing, empty, or a step in a path even when it is encoded
   */
  fill(values: Readonly<Record<string, unknown>>): string | undefined {
    let path = this.#literals[0] ?? '';
    for (const [index, name] of this.#names.entries()) {
      const text = textOf(values[name]);
      if (/^\.{0,2}$/.test(text)) return undefined;
      path += encodeURIComponent(text) + (this.#literals[index + 1] ?? '');
    }
    return path;
  }
}

/**
 * @param value of a parameter
 * @returns how it stands in a URL before it is encoded; half a surrogate pair cannot be, and is replaced
 */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}
