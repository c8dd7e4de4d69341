import type { Fault, Format } from './format.ts';
import type { TreeMap } from './tree.ts';

/** A setting with the comments directly above it, or comments alone. */
interface Part {
  /** The name of the setting. It is undefined for comments alone. */
  readonly name: string | undefined;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
  readonly comments: readonly string[];
  readonly lines: readonly string[];
}

/** A setting that is switched off, as in `.env.example`. It is merged by its name, too, which begins with `#` then. */
const switchedOff = /^#\s*([A-Z][A-Z0-9_]*)=(.*)$/;

/** Files of `NAME=value`, as dotenv, Compose and kustomize read them. A quoted value may have several lines. */
export const envFormat: Format = {
  rules: { staysDeleted: ([name]) => name?.startsWith('#') === true },
  read(text) {
    const parts = partsOf(text);
    if ('message' in parts) return parts;
    const values = new Map<string, string>();
    for (const { name, value, line } of parts) {
      if (name === undefined) continue;
      if (values.has(name) && !name.startsWith('#')) return { line, message: `${name} is repeated` };
      values.set(name, value);
    }
    return [values];
  },
  write(texts, side, target) {
    const [parts, sources, base] = [texts[side], texts.theirs, texts.base].map(partsOf);
    if (parts === undefined || sources === undefined || 'message' in parts || 'message' in sources) return undefined;
    const known = new Set(base === undefined || 'message' in base ? [] : base.flatMap(({ comments }) => comments));
    const theirs = new Map(sources.map((part) => [part.name, part]));
    const written = parts.flatMap((part): Part[] => {
      const value = part.name === undefined ? part.value : target.get(part.name);
      if (value === part.value) return [part];
      const source = theirs.get(part.name);
      if (source !== undefined && source.value === value) return [{ ...source, comments: part.comments }];
      const comments = part.comments.filter((comment) => !known.has(comment));
      return comments.length === 0 ? [] : [{ ...part, name: undefined, lines: [], comments }];
    });
    const lines = withNew(written, sources, target).flatMap((part) => [...part.comments, ...part.lines]);
    return lines.length === 0 ? '' : `${lines.join('\n')}${/[^\n]$/.test(texts[side]) ? '' : '\n'}`;
  },
};

/** Inserts the settings that only theirs has. Each goes after the setting that it follows in theirs. */
function withNew(parts: readonly Part[], sources: readonly Part[], target: TreeMap): Part[] {
  const present = new Set(parts.map(({ name }) => name));
  const comments = new Set(parts.flatMap((part) => part.comments));
  const added = new Map<string | undefined, Part[]>();
  let behind: string | undefined;
  for (const source of sources) {
    if (source.name === undefined) continue;
    if (present.has(source.name)) behind = source.name;
    else if (target.get(source.name) === source.value) {
      const own = source.comments.filter((comment) => comment.trim() === '' || !comments.has(comment));
      const group = added.get(behind) ?? [];
      group.push({ ...source, comments: own });
      added.set(behind, group);
    }
  }
  const placed = parts.flatMap((part) => [part, ...((part.name !== undefined && added.get(part.name)) || [])]);
  return [...(added.get(undefined) ?? []), ...placed];
}

function partsOf(text: string): Part[] | Fault {
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  const parts: Part[] = [];
  let comments: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const first = lines[index] ?? '';
    const [, offName, offValue = ''] = switchedOff.exec(first) ?? [];
    if (offName !== undefined) {
      parts.push({ name: `#${offName}`, value: offValue.trim(), line: index + 1, comments, lines: [first] });
      comments = [];
      continue;
    }
    if (/^\s*(?:#|$)/.test(first)) {
      comments.push(first);
      continue;
    }
    const [line, start] = [index + 1, index];
    const quote = /^[^=]*=\s*(["'`])(?!.*\1)/.exec(first)?.[1];
    if (quote !== undefined) {
      const isOpen = (at: number): boolean => lines[at]?.includes(quote) === false;
      index += 1;
      while (isOpen(index)) index += 1;
      if (index === lines.length) return { line, message: `the quote ${quote} is not closed` };
    }
    const own = lines.slice(start, index + 1);
    const [, name, value = ''] = /^\s*(?:export\s+)?([\w.-]+)\s*(?:=([^]*))?$/.exec(own.join('\n')) ?? [];
    if (name === undefined) return { line, message: 'this is not NAME=value' };
    parts.push({ name, value: value.trim(), line, comments, lines: own });
    comments = [];
  }
  if (comments.length > 0 && text !== '')
    parts.push({ name: undefined, value: '', line: lines.length, comments, lines: [] });
  return parts;
}
