import { badInput, type SlipwayError } from '../../../errors.ts';

/** One word, name, string, number or sign of SQL. */
export interface Token {
  /** `word` is a keyword or an unquoted name, in lower case. `name` is a name in double quotes. */
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'sign';
  /** Without quotes. */
  readonly text: string;
}

/** Max number of tokens that are kept of a statement. Only statements with data have more. */
const mostTokens = 100_000;

const plain =
  /(?<blank>\s+|--[^\n]*)|(?<word>[a-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?)|(?<sign>::|[<>=!~@#%^&|?*/+-]+|[()[\],.;:{}])/iy;
const dollarQuote = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy;

/**
 * Splits SQL of PostgreSQL into statements. It skips comments, commands of psql (`\connect`) and the data of `copy`.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 * @param text SQL, such as `pg_dump --schema-only` prints it
 * @yields the tokens of each statement
 * @throws SlipwayError (exit code 2) that names the line, when a text does not end or a character has no meaning
 */
export function* statementsOf(text: string): Generator<readonly Token[]> {
  let tokens: Token[] = [];
  for (let at = 0; at < text.length;) {
    if (tokens.length === 0 && text.charAt(at) === '\\') {
      at = after(text, '\n', at);
      continue;
    }
    const { end, token } = read(text, at);
    const last = tokens.at(-1);
    if (token?.text === ';' && token.kind === 'sign') {
      yield tokens;
      at = last?.text === 'stdin' && tokens[0]?.text === 'copy' ? after(text, '\n\\.', end) : end;
      tokens = [];
      continue;
    }
    // Two quotes within a text stand for one.
    const isSame = last?.kind === token?.kind && (token?.kind === 'string' || token?.kind === 'name');
    const quote = text.charAt(at);
    if (isSame && text.charAt(at - 1) === quote && token)
      tokens[tokens.length - 1] = { ...token, text: `${last?.text}${quote}${token.text}` };
    else if (token !== undefined && tokens.length < mostTokens) tokens.push(token);
    at = end;
  }
  if (tokens.length > 0) yield tokens;
}

/** Reads a token, a blank or a comment. Returns where it ends. */
function read(text: string, at: number): { readonly end: number; readonly token?: Token } {
  const two = text.slice(at, at + 2);
  if (two === '/*') return { end: endOfComment(text, at) };
  if (/^e'/i.test(two)) return escaped(text, at);
  const quote = text.charAt(at);
  if (quote === "'" || quote === '"') {
    const end = until(text, quote, at, at + 1);
    return { end, token: { kind: quote === "'" ? 'string' : 'name', text: text.slice(at + 1, end - 1) } };
  }
  const tag = matchAt(dollarQuote, text, at)?.[0];
  if (tag !== undefined) {
    const end = until(text, tag, at, at + tag.length);
    return { end, token: { kind: 'string', text: text.slice(at + tag.length, end - tag.length) } };
  }
  const { blank, word, number, sign } = matchAt(plain, text, at)?.groups ?? {};
  if (blank !== undefined) return { end: at + blank.length };
  if (word !== undefined) return { end: at + word.length, token: { kind: 'word', text: word.toLowerCase() } };
  if (number !== undefined) return { end: at + number.length, token: { kind: 'number', text: number } };
  if (sign === undefined)
    throw fault(text, at, `"${String.fromCodePoint(text.codePointAt(at) ?? 0)}" is not expected here`);
  // A comment may follow an operator without a blank.
  const comment = sign.search(/--|\/\*/);
  const length = comment > 0 ? comment : sign.length;
  return { end: at + length, token: { kind: 'sign', text: sign.slice(0, length) } };
}

const controls: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Reads `e'…'`, in which a backslash takes the next character. */
function escaped(text: string, at: number): { readonly end: number; readonly token: Token } {
  let end = at + 2;
  while (end < text.length && text.charAt(end) !== "'") end += text.charAt(end) === '\\' ? 2 : 1;
  if (end >= text.length) throw fault(text, at, 'the text does not end');
  const value = text.slice(at + 2, end);
  // Codes of characters are not read: the expression is one that is not known.
  if (/\\[0-7xu]/i.test(value)) return { end: end + 1, token: { kind: 'sign', text: '\\' } };
  const plainText = value.replaceAll(/\\(.)/gs, (_, char: string) => controls[char] ?? char);
  return { end: end + 1, token: { kind: 'string', text: plainText } };
}

/** Comments nest. */
function endOfComment(text: string, at: number): number {
  let depth = 0;
  for (let end = at; end < text.length; end += 1) {
    const two = text.slice(end, end + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/') depth -= 1;
    else continue;
    end += 1;
    if (depth === 0) return end + 1;
  }
  throw fault(text, at, 'the comment does not end');
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function until(text: string, end: string, start: number, from: number): number {
  const found = text.indexOf(end, from);
  if (found === -1) throw fault(text, start, `the text after ${end} does not end`);
  return found + end.length;
}

/** Returns the place after a text, or the end. */
function after(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found === -1 ? text.length : found + end.length;
}

function fault(text: string, at: number, message: string): SlipwayError {
  const line = text.slice(0, at).split('\n').length;
  return badInput(
    `line ${line} of the SQL: ${message}`,
    'give the SQL of PostgreSQL, as pg_dump --schema-only prints it',
  );
}
