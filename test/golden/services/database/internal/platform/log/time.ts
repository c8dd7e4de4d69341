let lastMs = 0;
let lastText = '';

/**
 * For pino's `timestamp`: ISO 8601, written once for all lines of one millisecond.
 * @returns the field, as it stands in the line
 */
export function isoTime(): string {
  const ms = Date.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastText = `,"time":"${new Date(ms).toISOString()}"`;
  }
  return lastText;
}
