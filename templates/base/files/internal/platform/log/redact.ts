import { pino } from 'pino';

type Fields = Readonly<Record<string, unknown>>;

const hidden = '[redacted]';
const cut = '[cut]';
const unreadable = '[unreadable]';
/** Most levels of objects and lists. */
const maxDepth = 8;
/** Most characters of one text, of the name of a field, and of all fields of a line. */
const maxText = 8192;
const maxName = 256;
const maxLine = 12_288;
/** Most characters of fields that are passed on without a copy. */
const maxPlain = 2048;

const names = String.raw`pass(?:w(?:or)?d|phrase|code)|pwd|secret|token|credential|authorization|cookie|jwt(?!_?type)|bearer|dsn|signature|(?:api|access|account|private|signing|encryption|master|shared|ssh|hmac)[-_ ]?key|connection[-_]?string`;
const telling = new RegExp(names, 'i');
const secretName = new RegExp(`${names}|^(?:pass|auth|otp|pin)$`, 'i');
/** A name of a secret and what follows it in JSON, in a printed object, in a query or in settings. */
const named = String.raw`(?:${names})[\w-]{0,40}[\\"']{0,2}\s{0,3}`;
/** Decides quickly for almost all texts. */
const suspicious = new RegExp(String.raw`:\/\/|bearer\s|basic\s|${named}[:=]`, 'i');
/** What is before the last @ of a URL: a user and a password, or a token. A port is not a password. */
const userinfo = /^(?:[^/?#:"']*:(?!\d+[/?#])|[^/?#:"']+$)/;
/** What is hidden inside a text, after what stays. In linear time, because clients choose paths. */
const hideIn: readonly RegExp[] = [
  // A header in the head of a request.
  new RegExp(String.raw`^([\w-]{0,60}(?:${names})[\w-]{0,60}:[ \t]*)\S[^\r\n]*`, 'gim'),
  new RegExp(String.raw`(${named}(?:=|:(?=\s{0,3}\\?["']))\s{0,3})(?:\\?"[^"\r\n]*"?|'[^'\r\n]*'?|[^\s"'&,;}]+)`, 'gi'),
  // RFC 6750, 2.1, and RFC 7617, 2. A challenge such as `Bearer realm="api"` is no secret.
  /\b(bearer\s+)(?!(?:realm|error|scope)=|tokens?\b)[\w.~+/=-]+/gi,
  /\b(basic\s+)(?!auth)[\w+/-]{6,}={0,2}/gi,
];

/** @returns the URLs without user and password, which may be long and hold any character. In linear time too */
function withoutUserinfo(urls: string): string {
  const end = urls.lastIndexOf('@');
  for (let at = 0; at !== -1 && at < end; at = urls.indexOf('://', at + 3))
    if (userinfo.test(urls.slice(at + 3, end))) return urls.slice(0, at + 3) + hidden + urls.slice(end);
  return urls;
}

/** Whether names are those of secrets: a Map is quicker than the pattern. A service may build names from ids, so it has a limit. */
const known = new Map<string, boolean>();
const maxKnown = 1000;

/** @returns whether a value with this name is a secret. A boolean is not: CORS_CREDENTIALS only says whether there are any */
function isSecret(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return false;
  const found = known.get(name);
  if (found !== undefined) return found;
  const is = secretName.test(name);
  if (known.size < maxKnown && name.length < maxName) known.set(name, is);
  return is;
}

/**
 * Makes the arguments of a log call safe, with copies where needed: secrets are hidden at any depth, a line has a largest size, and
 * nothing is left that throws when it is read. pino's own redaction needs a path for each depth.
 * @param args fields and message, or a message and what is put into it
 * @returns the arguments for pino
 */
export function redactArguments(args: readonly unknown[]): readonly unknown[] {
  const [first, ...rest] = args;
  // Most lines are flat.
  if (rest.every(isPlainText) && isFields(first) && isPlain(first)) return args;
  const line = new Line();
  const texts = rest.map((each) => line.copy(each));
  return [isFields(first) ? redact(first, line) : line.copy(first), ...texts];
}

/**
 * @param fields of a line, or of a child logger
 * @param line to which they belong
 * @returns the fields without secrets
 */
export function redact(fields: Fields, line = new Line()): Fields {
  const copy = line.copy(fields, maxDepth + 1);
  if (!isFields(copy) || Array.isArray(copy)) return { value: copy };
  return fields instanceof Error ? { err: copy } : copy;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function isPlainText(text: unknown): boolean {
  return typeof text === 'string' && text.length < maxPlain && !suspicious.test(text);
}

/** @returns whether nothing in the fields needs a copy */
function isPlain(fields: Fields): boolean {
  try {
    let size = 0;
    for (const name in fields) {
      const value = fields[name];
      size += name.length + (typeof value === 'string' ? value.length : 8);
      const isScalar = typeof value === 'number' || typeof value === 'boolean' || value === undefined;
      if (size > maxPlain || isSecret(name, value) || !(isScalar || isPlainText(value))) return false;
    }
    return Object.getPrototypeOf(fields) === Object.prototype;
  } catch {
    return false;
  }
}

/** Copies what goes into one line. */
class Line {
  /** Characters that may still be added. */
  #left = maxLine;

  /** @returns what to log in place of a value */
  copy(value: unknown, depth = maxDepth): unknown {
    try {
      if (typeof value === 'string') return this.#text(value);
      this.#left -= 8;
      if (typeof value === 'function' || typeof value === 'symbol') return undefined;
      return typeof value === 'object' && value !== null ? this.#object(value, depth) : value;
    } catch {
      return unreadable;
    }
  }

  #object(value: object, depth: number): unknown {
    if (depth === 0) return '[deep]';
    if (value instanceof Error) return this.#members(plainError(value), depth - 1);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return this.copy(Reflect.apply(value.toJSON, value, []), depth - 1);
    if (Array.isArray(value)) return this.#list(value, depth - 1);
    // Requests, replies and sockets refer to half of the process.
    if ('on' in value && typeof value.on === 'function') return `[${value.constructor.name}]`;
    return this.#members(value, depth - 1);
  }

  #members(object: object, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(object)) {
      if (this.#left <= 0) return { ...copy, [cut]: true };
      const shown = name.slice(0, maxName);
      this.#left -= shown.length;
      // `{ name: 'cookie', value: 'a=b' }` is one header of a list.
      const label = name === 'value' ? String(Reflect.get(object, 'name') ?? Reflect.get(object, 'key')) : name;
      copy[shown] = isSecret(label, value) ? hidden : this.copy(value, depth);
    }
    return copy;
  }

  #list(list: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    for (const [index, value] of list.entries()) {
      if (this.#left <= 0) return [...copy, cut];
      // In `rawHeaders` and in pairs a value follows its name, in the arguments of a command it follows `--password`.
      const name = list[index - 1];
      const isValue = typeof name === 'string' && (index % 2 === 1 || name.startsWith('-')) && telling.test(name);
      copy.push(isValue ? hidden : this.copy(value, depth));
    }
    return copy;
  }

  #text(text: string): string {
    // Twice as much, so that no secret is cut in half before it is recognised.
    const whole = text.slice(0, 2 * maxText);
    const safe = suspicious.test(whole)
      ? hideIn.reduce(
          (each, pattern) => each.replace(pattern, `$1${hidden}`),
          whole.replaceAll(/:\/\/\S*/g, withoutUserinfo),
        )
      : whole;
    // As JSON, a control character takes six characters.
    const share = Math.min(maxText, Math.max(this.#left, 0)) / JSON.stringify(safe).length;
    const shown = share < 1 ? safe.slice(0, Math.floor(safe.length * share)) + cut : safe;
    this.#left -= JSON.stringify(shown).length;
    return shown;
  }
}

/** @returns an error with the messages and stacks of its causes */
function plainError(error: Error): object {
  try {
    return pino.stdSerializers.err(error);
  } catch {
    // A getter throws, or the error is frozen.
    return { type: error.name, message: error.message, stack: error.stack };
  }
}
