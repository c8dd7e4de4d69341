const secretName = /password|secret|token|credential|authorization|cookie|api[-_]?key/i;
const censor = '[redacted]';
const depthLimit = 8;

/**
 * Hides what stands under a name that sounds secret, however deep: pino's own paths name each depth one by one.
 * @param line the fields of a log line; left untouched
 * @returns the same object when it holds nothing to look into, otherwise a copy
 */
export function redact(line: Record<string, unknown>): Record<string, unknown> {
  for (const key in line) {
    // Most lines are flat: they pay for this loop and nothing else.
    if (isSecret(key, line[key]) || typeof line[key] === 'object') return copy(line, depthLimit);
  }
  return line;
}

function copy(object: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, isSecret(key, value) ? censor : redactValue(value, depth - 1)]),
  );
}

/** Yes or no is nothing that could be kept secret: CORS_CREDENTIALS says whether there are any. */
function isSecret(key: string, value: unknown): boolean {
  return typeof value !== 'boolean' && secretName.test(key);
}

function redactValue(value: unknown, depth: number): unknown {
  // What knows its own JSON, or is an error, is left to the serialisers.
  if (typeof value !== 'object' || value === null || 'toJSON' in value || value instanceof Error) return value;
  if (depth === 0) return '[deep]';
  return Array.isArray(value) ? value.map((item) => redactValue(item, depth - 1)) : copy(value, depth);
}
