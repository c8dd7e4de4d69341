/** A module or a file named in a source file. */
export interface ModuleSpecifier {
  readonly specifier: string;
  /** Line of the specifier, counted from 1. */
  readonly line: number;
  /** The source builds a path with it: `new URL('x', import.meta.url)`. It may name a folder, and needs no `./`. */
  readonly isPath?: true;
}

/**
 * @param found a specifier
 * @returns whether it names a file by its place relative to the importer
 */
export function isRelative({ specifier, isPath }: ModuleSpecifier): boolean {
  return isPath === true || /^\.\.?(?:\/|$)/.test(specifier);
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

const replacing = '(?:(?:do|un|dont|doUn)?[mM]ock|(?:import|require)(?:Actual|Mock))';
const typedCall = new RegExp(`(?:^| )(?:vi|vitest|jest) \\. ${replacing}$`);
/** The tokens before a string that names a module: an import, `require`, and the calls of Vitest and Jest that replace modules. */
const beforeModule = new RegExp(
  [
    String.raw`(?:^|[^.] )(?:from|import)`,
    String.raw`(?:^|[^.] |\. \. \. )(?:import|require) \(`,
    String.raw`\b(?:require|import \. meta) \. resolve \(`,
    String.raw`(?:^|[^.] )(?:vi|vitest|jest) \. ${replacing} \(`,
  ]
    .map((tokens) => `(?:${tokens})$`)
    .join('|'),
);
/** The tokens before, and the text after, a string that is a path from the file's own folder. */
const beforePath: readonly (readonly [before: RegExp, after: RegExp])[] = [
  [/(?:^| )new URL \($/, /\s*,\s*import\s*\.\s*meta\s*\.\s*(?:url|filename)\b/y],
  [/(?:^| )import \. meta \. dirname ,$|(?:^|[^.] )__dirname ,$/, /\s*,?\s*\)/y],
];
/** An absolute path, or a URL with a scheme. */
const absolute = /^(?:\/|[a-z][a-z\d+.-]*:)/i;
/** How many tokens these patterns need. */
const longest = 6;

/**
 * Finds the modules that a JavaScript or TypeScript source imports, exports from, requires or mocks, and the files that it locates
 * relative to itself. It skips comments, other strings, regular expressions and text in templates. It is a scanner and not a parser:
 * it takes linear time and never throws.
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
  /** The tokens of a call before its type arguments: `vi . importActual`. */
  let called: readonly string[] | undefined;
  const pass = (token: string) => {
    if (token === '<' && typedCall.test(passed.join(' '))) called = passed;
    const isCall = token === '(' && passed.at(-1) === '>';
    passed = [...((isCall ? called : undefined) ?? passed).slice(1 - longest), token];
    if (isCall || token === ';') called = undefined;
  };
  const add = (specifier: string, at: number) => {
    // No module has a name of two lines.
    if (/[\r\n]/.test(specifier)) return;
    const tokens = passed.join(' ');
    if (beforeModule.test(tokens)) found.push({ specifier, line: at });
    else if (!absolute.test(specifier) && beforePath.some(([before, after]) => before.test(tokens) && isNext(after)))
      found.push({ specifier, line: at, isPath: true });
  };
  const isNext = (pattern: RegExp): boolean => {
    pattern.lastIndex = offset;
    return pattern.test(source);
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
    const text = source.slice(start, offset);
    offset += 1;
    if (isStart) add(text, firstLine);
    pass('string');
  };

  while (offset < source.length) {
    if (match(blank) !== undefined) continue;
    const firstLine = line;
    const character = source.charAt(offset);
    const text = character === "'" || character === '"' ? literal(character) : undefined;
    if (text !== undefined) {
      add(text.slice(1, -1), firstLine);
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

/** Returns whether a slash after this token begins a regular expression. Otherwise it divides. */
function expectsExpression(token: string | undefined): boolean {
  if (token === undefined || wordsBeforeExpression.has(token)) return true;
  // A slash after `<` closes a JSX element.
  return !/^[\w$\u0080-\uffff)\]}<]/.test(token);
}
