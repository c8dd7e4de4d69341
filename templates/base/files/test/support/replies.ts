/** What came back on one connection. */
export interface Replies {
  readonly statuses: readonly number[];
  /** Where it stops being HTTP, if it does. */
  readonly fault: string | undefined;
}

const statusLine = /^HTTP\/1\.1 (\d{3}) [\w '-]+$/;
const bodiless = new Set([100, 204, 304]);

/**
 * Reads what a server has sent as strictly as a client that trusts it: one whole reply after another. Only the last may be cut off.
 * A reply to HEAD, which has a length and no body, is told by the next one that begins at once.
 * @param bytes in latin1
 * @returns the replies up to the first fault
 */
export function readReplies(bytes: string): Replies {
  const statuses: number[] = [];
  let rest = bytes;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return { statuses, fault: 'HTTP/1.1 '.startsWith(rest.slice(0, 9)) ? undefined : quote(rest) };
    const [first = '', ...headers] = rest.slice(0, end).split('\r\n');
    const status = Number(statusLine.exec(first)?.[1]);
    if (Number.isNaN(status)) return { statuses, fault: quote(rest) };
    statuses.push(status);
    rest = rest.slice(end + 4);
    if (bodiless.has(status) || rest.startsWith('HTTP/1.1 ')) continue;
    const length = valueOf(headers, 'content-length');
    if (length !== undefined) rest = rest.slice(Number(length));
    else if (valueOf(headers, 'transfer-encoding') === 'chunked') {
      const after = afterChunks(rest);
      if (after === undefined) return { statuses, fault: quote(rest) };
      rest = after;
    } else if (rest !== '') return { statuses, fault: `a body without a length: ${quote(rest)}` };
  }
  return { statuses, fault: undefined };
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  const found = headers.find((header) => header.toLowerCase().startsWith(`${name}: `));
  return found?.slice(name.length + 2);
}

/** What follows the last chunk; nothing when chunks are cut off, undefined when they are none. */
function afterChunks(chunks: string): string | undefined {
  let rest = chunks;
  for (;;) {
    const end = rest.indexOf('\r\n');
    if (end === -1) return /^[\da-f]*\r?$/i.test(rest) ? '' : undefined;
    if (!/^[\da-f]+$/i.test(rest.slice(0, end))) return undefined;
    const size = Number.parseInt(rest.slice(0, end), 16);
    rest = rest.slice(end + 2);
    if (!'\r\n'.startsWith(rest.slice(size, size + 2))) return undefined;
    rest = rest.slice(size + 2);
    if (size === 0 || rest === '') return rest;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
