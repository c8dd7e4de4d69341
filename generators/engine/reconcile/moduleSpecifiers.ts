/** A module named in a source file. */
export interface ModuleSpecifier {
  readonly specifier: string;
  /** Line of the specifier, counted from 1. */
  readonly line: number;
}

/**
 * @param path of a file
 * @returns whether it is a JavaScript or TypeScript source
 */
export function isSource(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path);
}

// No pattern repeats a group: the memory that a match needs would grow with the number of repetitions.
const blank = /\s+|\/\/[^\r\n]*|\/\*[^]*?(?:\*\/|$)/y;
const word = /[\w$\u0080-\uffff]+/y;
const templatePart = /[^`\\$]+|\\[^]|\$(?!\{)/y;

const wordsBeforeExpression = new Set(
  'await case delete do else extends in instanceof new of return throw typeof void yield'.split(' '),
);

/**
 * Finds the modules that a JavaScript or TypeScript source imports, exports from, or requires. It skips comments, other strings,
 * regular expressions and text in templates. It is a scanner and not a parser: it takes linear time and never throws.
 * @param source of one file
 * @returns the specifiers in order
 */
export function moduleSpecifiers(source: string): ModuleSpecifier[] {
  const found: ModuleSpecifier[] = [];
  /** The last tokens, as far as they decide what a string means. */
  let passed: readonly string[] = [];
  /** For each template whose expression contains the current position: how many braces were open before it. */
  const templates: number[] = [];
  let braces = 0;
  let offset = 0;
  let line = 1;

  const take = (end: number): string => {
    const text = source.slice(offset, end);
    offset = end;
    line += text.split('\n').length - 1;
    return text;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = offset;
    return pattern.test(source) ? take(pattern.lastIndex) : undefined;
  };
  /** Opening character → the end of the line in which it has no end. A second search in the line would take quadratic time. */
  const endless = new Map<string, number>();
  const literal = (opening: string): string | undefined => {
    if (offset < (endless.get(opening) ?? 0)) return undefined;
    const { end, isClosed } = literalAt(source, offset);
    if (isClosed) return take(end);
    endless.set(opening, end);
    return undefined;
  };
  const pass = (token: string) => {
    passed = [...passed.slice(-2), token];
  };
  const template = (isStart: boolean) => {
    const [start, firstLine] = [offset, line];
    while (match(templatePart) !== undefined);
    if (source.startsWith('${', offset)) {
      offset += 2;
      templates.push(braces);
      pass('${');
      return;
    }
    if (isStart && isSpecifier(passed) && line === firstLine)
      found.push({ specifier: source.slice(start, offset), line: firstLine });
    offset += 1;
    pass('string');
  };

  while (offset < source.length) {
    if (match(blank) !== undefined) continue;
    const firstLine = line;
    const character = source.charAt(offset);
    const text = character === "'" || character === '"' ? literal(character) : undefined;
    if (text !== undefined) {
      if (isSpecifier(passed) && line === firstLine) found.push({ specifier: text.slice(1, -1), line: firstLine });
      pass('string');
      continue;
    }
    const name = match(word);
    if (name !== undefined) {
      pass(name);
      continue;
    }
    if (character === '/' && expectsExpression(passed.at(-1)) && literal(character) !== undefined) {
      pass('string');
      continue;
    }
    offset += 1;
    if (character === '`') template(true);
    else if (character === '}' && braces === templates.at(-1)) {
      templates.pop();
      template(false);
    } else {
      if (character === '{') braces += 1;
      if (character === '}') braces -= 1;
      pass(character);
    }
  }
  return found;
}

/** Finds the end of a string or a regular expression, or of its line when it is not closed. */
function literalAt(source: string, start: number): { end: number; isClosed: boolean } {
  const closer = source.charAt(start);
  let inClass = false;
  for (let at = start + 1; at < source.length; at += 1) {
    const character = source.charAt(at);
    if (character === '\\') at += 1;
    else if (character === '\n' || character === '\r') return { end: at, isClosed: false };
    else if (closer === '/' && (character === '[' || character === ']')) inClass = character === '[';
    else if (character === closer && !inClass) return { end: at + 1, isClosed: true };
  }
  return { end: source.length, isClosed: false };
}

/** Returns whether a string after these tokens names a module. */
function isSpecifier(passed: readonly string[]): boolean {
  const [third, second, last] = [passed.at(-3), passed.at(-2), passed.at(-1)];
  if (last === 'from' || last === 'import') return second !== '.';
  return last === '(' && (second === 'import' || second === 'require') && third !== '.';
}

/** Returns whether a slash after this token begins a regular expression. Otherwise it divides. */
function expectsExpression(token: string | undefined): boolean {
  if (token === undefined || wordsBeforeExpression.has(token)) return true;
  // A slash after `<` closes a JSX element.
  return !/^[\w$\u0080-\uffff)\]}<]/.test(token);
}
