import jsTokens from 'js-tokens';
import { conflictLines } from '../../text.ts';
import { isSource } from '../moduleSpecifiers.ts';
import { envFormat } from './env.ts';
import { jsonFault } from './jsonTree.ts';
import type { Fault, Format } from './format.ts';
import { yamlFormat } from './yaml.ts';

/**
 * @param path of a file; its name decides how the text is read
 * @returns how the file is read and merged; undefined for prose and other text without a syntax
 */
export function formatOf(path: string): Format | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.ya?ml$/.test(name)) return yamlFormat;
  if (/^\.env(?:\.|$)|\.env$/.test(name)) return envFormat;
  if (/\.jsonc?$/.test(name)) return { read: (text) => jsonFault(text, { comments: takesComments(path) }) ?? [] };
  return /\.[cm]?[jt]s$/.test(name) ? sourceFormat : undefined;
}

/** Tools read these JSON files with comments and trailing commas. */
function takesComments(path: string): boolean {
  return /(?:^|\/)(?:\.[^/]*|[jt]sconfig[^/]*|renovate\.json|[^/]*\.jsonc)$|(?:^|\/)\.(?:vscode|devcontainer)\//.test(
    path,
  );
}

/**
 * Finds what makes a file unusable: conflict markers, or text that is not what the file's name says.
 * @param path of the file
 * @param text its content
 * @returns the first fault; undefined when there is none
 */
export function findFault(path: string, text: string): Fault | undefined {
  const line = conflictLines(text)[0] ?? (isSource(path) ? strayMarkerLine(text) : undefined);
  if (line !== undefined) return { line, message: 'a merge conflict is not resolved' };
  const read = formatOf(path)?.read(text.replace(/^\uFEFF/, ''));
  return read !== undefined && 'line' in read ? read : undefined;
}

/** Markers that are left over are operators to a tokenizer. */
function strayMarkerLine(text: string): number | undefined {
  const index = text.split('\n').findIndex((line) => /^(?:<{7}|>{7}|\|{7}) /.test(line));
  return index === -1 ? undefined : index + 1;
}

const opening: Readonly<Record<string, string>> = {
  ')': '(',
  ']': '[',
  '}': '{',
  TemplateMiddle: '`',
  TemplateTail: '`',
};
const names: Readonly<Record<string, string>> = {
  StringLiteral: 'string',
  MultiLineComment: 'comment',
  RegularExpressionLiteral: 'regular expression',
};

/** JavaScript and TypeScript, by tokens: each string, comment and bracket is closed. */
const sourceFormat: Format = {
  read(text) {
    const open: { readonly token: string; readonly line: number }[] = [];
    let line = 1;
    for (const token of jsTokens(text)) {
      if ('closed' in token && !token.closed)
        return { line, message: `the ${names[token.type] ?? 'template'} is not closed` };
      const closed = token.type === 'Punctuator' ? opening[token.value] : opening[token.type];
      if (closed !== undefined && open.pop()?.token !== closed)
        return { line, message: `"${token.value.trim()}" closes nothing` };
      if (token.type === 'Punctuator' && '([{'.includes(token.value)) open.push({ token: token.value, line });
      if (token.type === 'TemplateHead' || token.type === 'TemplateMiddle') open.push({ token: '`', line });
      line += token.value.split('\n').length - 1;
    }
    const last = open.at(-1);
    return last === undefined ? [] : { line: last.line, message: `"${last.token}" is not closed` };
  },
};
