import { pino } from 'pino';

type Fields = Readonly<Record<string, unknown>>;

const hidden = '[redacted]';
const cut = '[cut]';
const unreadable = '[unreadable]';
/** Most levels of objects and lists. */
const maxDepth = 8;
/** Most characters of one text, and of all fields of a line. */
const maxText = 8192;
const maxLine = 12_288;
const maxName = 256;
/** Most characters of fields that are passed on without a copy. */
const maxPlain = 2048;

const names = String.raw`passw(?:or)?d|pwd|passphrase|secret|token|credential|authorization|cookie|jwt(?!_?type)|bearer|dsn|signature|(?:api|access|account|private|signing|encryption|master|shared|ssh|hmac)[-_ ]?key|connection[-_]?string`;
const telling = new RegExp(names, 'i');
const secretName = new RegExp(`${names}|^(?:pass|auth|otp|pin)$`, 'i');
/** A name of a secret and what follows it in JSON, in a printed object, in a query or in settings. */
const named = String.raw`(?:${names})[\w-]{0,40}[\\"']{0,2}\s{0,3}`;
/** Decides quickly for almost all texts. */
const suspicious = new RegExp(String.raw`:\/\/|bearer\s|basic\s|${named}[:=]`, 'i');
/** What is before the @ of a URL: a user and a password, or a token in place of the user. A port is not a password. */
const userinfo = /^(?:[^/?#:"']*:(?!\d+(?:[/?#]|$))|[^/?#:"']+$)/;
/** What is hidden inside a text, beside that. */
const hideIn: readonly RegExp[] = [
  // A header in the head of a request.
  new RegExp(String.raw`^([\w-]{0,60}(?:${names})[\w-]{0,60}:[ \t]*)\S[^\r\n]*`, 'gim'),
  new RegExp(String.raw`(${named}(?:=|:(?=\s{0,3}\\?["']))\s{0,3})(?:\\?"[^"\r\n]*"?|'[^'\r\n]*'?|[^\s"'&,;}]+)`, 'gi'),
  // RFC 6750, 2.1, and RFC 7617, 2. A challenge such as `Bearer realm="api"` is no secret.
  /\b(bearer\s+)(?!(?:realm|error|scope)=|tokens?\b)[\w.~+/=-]+/gi,
  /\b(basic\s+)(?!auth)[\w+/-]{6,}={0,2}/gi,
];

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

/** @returns the text without the secrets that it shows by their form; in linear time, because clients choose paths */
function withoutSecrets(text: string): string {
  const shown = text.replaceAll(/:\/\/\S*/g, (urls) => {
    const end = urls.lastIndexOf('@');
    for (let at = 0; at !== -1 && at < end; at = urls.indexOf('://', at + 3))
      if (userinfo.test(urls.slice(at + 3, end))) return urls.slice(0, at + 3) + hidden + urls.slice(end);
    return urls;
  });
  return hideIn.reduce((each, pattern) => each.replace(pattern, `$1${hidden}`), shown);
}

function isSuspicious(text: string): boolean {
  return /[:=\s]/.test(text) && suspicious.test(text);
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
  if (rest.every(isShort) && isFields(first) && isPlain(first)) return args;
  const line = new Line();
  const texts = rest.map((each) => line.of(each));
  return [isFields(first) ? redact(first, line) : line.of(first), ...texts];
}

function isShort(text: unknown): boolean {
  return typeof text === 'string' && text.length < maxPlain && !isSuspicious(text);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/**
 * @param fields of a line, or of a child logger
 * @param line to which they belong
 * @returns the fields without secrets
 */
export function redact(fields: Fields, line = new Line()): Fields {
  if (isPlain(fields)) return fields;
  const shown = line.of(fields, maxDepth + 1);
  if (!isFields(shown) || Array.isArray(shown)) return { value: shown };
  return fields instanceof Error ? { err: shown } : shown;
}

const scalars = new Set(['number', 'boolean', 'undefined']);

function isPlain(fields: Fields): boolean {
  try {
    let size = 0;
    for (const name in fields) {
      const value = fields[name];
      const isText = typeof value === 'string';
      size += name.length + (isText ? value.length : 8);
      const isUnsafe = isText ? isSuspicious(value) : !scalars.has(typeof value);
      if (isUnsafe || size > maxPlain || isSecret(name, value)) return false;
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
  of(value: unknown, depth = maxDepth): unknown {
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
    if (value instanceof Error) return this.#error(value, depth);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if ('toJSON' in value && typeof value.toJSON === 'function')
      return this.of(Reflect.apply(value.toJSON, value, []), depth - 1);
    if (Array.isArray(value)) return this.#list(value, depth - 1);
    if (!('on' in value && typeof value.on === 'function')) return this.#members(value, depth - 1);
    // A socket refers to half of the process. Of a request and a reply the head is shown.
    const head = ['method', 'url', 'statusCode', 'headers'].filter((name) => Reflect.has(value, name));
    return head.length === 0 ? `[${value.constructor.name}]` : this.#members(value, depth - 1, head);
  }

  /** With the messages and stacks of its causes. */
  #error(error: Error, depth: number): unknown {
    try {
      return this.#members(pino.stdSerializers.err(error), depth - 1);
    } catch {
      // A getter throws, or the error is frozen.
      return this.#members(error, depth - 1, ['name', 'message', 'stack', ...Object.keys(error)]);
    }
  }

  #members(object: object, depth: number, members = Object.keys(object)): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const name of members) {
      if (this.#left <= 0) return { ...copy, [cut]: members.length };
      const shown = name.slice(0, maxName);
      this.#left -= shown.length + 4;
      copy[shown] = this.#member(object, name, depth);
    }
    return copy;
  }

  #member(object: object, name: string, depth: number): unknown {
    try {
      const value: unknown = Reflect.get(object, name);
      // `{ name: 'cookie', value: 'a=b' }` is one header of a list.
      const label = name === 'value' ? String(Reflect.get(object, 'name') ?? Reflect.get(object, 'key')) : name;
      return isSecret(label, value) ? hidden : this.of(value, depth);
    } catch {
      return unreadable;
    }
  }

  #list(list: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    for (const [index, value] of list.entries()) {
      if (this.#left <= 0) return [...copy, cut];
      // In `rawHeaders` and in pairs a value follows its name, in the arguments of a command it follows `--password`.
      const name = list[index - 1];
      const isValue = typeof name === 'string' && (index % 2 === 1 || name.startsWith('-')) && telling.test(name);
      copy.push(isValue ? hidden : this.of(value, depth));
    }
    return copy;
  }

  /** Shortens a text until it fits as JSON, where a control character takes six characters. */
  #text(text: string): string {
    const room = Math.max(Math.min(maxText, this.#left), 2);
    // Twice as much, so that no secret is cut in half before it is recognised.
    const whole = text.slice(0, 2 * maxText);
    let shown = isSuspicious(whole) ? withoutSecrets(whole) : whole;
    let size = JSON.stringify(shown).length;
    const end = size > room ? cut : '';
    while (size > room) {
      shown = shown.slice(0, Math.floor((shown.length * room) / size));
      size = JSON.stringify(shown).length;
    }
    this.#left -= size;
    return shown + end;
  }
}
