import { pino } from 'pino';
import { configure } from 'safe-stable-stringify';

type Fields = Readonly<Record<string, unknown>>;

const hidden = '[redacted]';
/** Max characters of one text, and of all fields of a line. */
const maxText = 4096;
const maxLine = 12_288;
/** Max characters of fields that are logged without a copy. */
const maxPlain = 2048;
/** Without members beyond these. Objects that contain themselves are cut, too. */
const stringify = configure({ maximumDepth: 8, maximumBreadth: 100, deterministic: false });

const names = String.raw`passw(?:or)?d|pwd|passphrase|secret|token|credential|authorization|cookie|jwt(?!_?type)|bearer|dsn|signature|(?:api|access|account|private|signing|encryption|master|shared|ssh|hmac)[-_ ]?key|connection[-_]?string`;
const secretName = new RegExp(`${names}|^(?:pass|auth|otp|pin)$`, 'i');
/** The name of a secret in a text, up to its value: in a query, in settings, in JSON or in a printed object. */
const named = String.raw`(?:${names})[\w-]{0,40}[\\"']{0,2}\s{0,3}(?:=|:(?=\s{0,3}\\?["']))\s{0,3}`;
/** What is hidden in a text, after what stays. Repetitions are bounded, because clients choose some texts. */
const secrets: readonly RegExp[] = [
  // User and password of a URL, or a token in their place. The password may contain any character. A port is no password.
  /(:\/\/)(?:[^\s/?#:"']{0,200}:(?!\d+[/?#])\S{0,2000}|[^\s/?#:"']{1,2000})(?=@)/g,
  new RegExp(String.raw`(${named})(?:\\?"[^"\r\n]*"?|'[^'\r\n]*'?|[^\s"'&,;}]+)`, 'gi'),
  // RFC 6750, 2.1, and RFC 7617, 2. A challenge such as `Bearer realm="api"` is no secret.
  /\b(bearer\s+)(?!(?:realm|error|scope)=|tokens?\b)[\w.~+/=-]+/gi,
  /\b(basic\s+)(?!auth)[\w+/-]{6,}={0,2}/gi,
];
/** Decides quickly for almost all texts. */
const suspicious = new RegExp(String.raw`:\/\/|bearer\s|basic\s|${named}`, 'i');

/** Whether names are those of secrets: a Map is quicker than the pattern. A service may build names from ids, so it has a limit. */
const known = new Map<string, boolean>();
const maxKnown = 1000;

/** @returns whether a value with this name is a secret. A boolean is not: CORS_CREDENTIALS only says whether there are any */
function isSecret(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return false;
  const is = known.get(name) ?? secretName.test(name);
  if (known.size < maxKnown) known.set(name, is);
  return is;
}

/**
 * Makes the arguments of a log call safe, with copies where needed: secrets are hidden at any depth, a line has a largest size, and
 * nothing is left that throws when it is read. pino's own redaction needs a path for each depth.
 * @param args fields and message, or a message and what is put into it
 * @returns the arguments for pino
 */
export function redactArguments(args: readonly unknown[]): readonly unknown[] {
  const [first, ...texts] = args;
  // Most lines are flat.
  if (texts.every(isPlainText) && isFields(first) && isPlain(first)) return args;
  const copy = copier();
  const copies = texts.map(copy);
  return [isFields(first) ? redact(first, copy) : copy(first), ...copies];
}

/**
 * @param fields of a line, or of a child logger
 * @returns the fields without secrets
 */
export function redact(fields: Fields, copy = copier()): Fields {
  const safe = copy(fields);
  return isFields(safe) && !Array.isArray(safe) ? safe : { value: safe };
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

/** @returns a function that copies what goes into one line, as plain data without secrets */
function copier(): (value: unknown) => unknown {
  let left = maxLine;
  /** Called for each member, and before them for the whole under an empty name. */
  const safe = (name: string, member: unknown): unknown => {
    left -= name.length + 8;
    if (left <= 0) return undefined;
    if (isSecret(name, member)) return hidden;
    if (typeof member === 'string') {
      const text = safeText(member, left);
      left -= JSON.stringify(text).length;
      return text;
    }
    if (member instanceof Error) return name === '' ? { err: member } : plainError(member);
    // Requests, replies and sockets refer to half of the process.
    return isFields(member) && typeof member['on'] === 'function' ? `[${member.constructor.name}]` : member;
  };
  return (value) => {
    try {
      const plain: unknown = JSON.parse(stringify(value, safe) ?? 'null');
      return plain;
    } catch {
      // A getter throws, for example.
      return '[unreadable]';
    }
  };
}

function safeText(text: string, left: number): string {
  // Twice as much, so that no secret is cut in half before it is recognised.
  let safe = text.slice(0, 2 * maxText);
  if (suspicious.test(safe)) for (const pattern of secrets) safe = safe.replace(pattern, `$1${hidden}`);
  // As JSON, a control character takes six characters.
  const share = Math.min(maxText, left) / JSON.stringify(safe).length;
  return share < 1 ? `${safe.slice(0, Math.floor(safe.length * share))}[cut]` : safe;
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
