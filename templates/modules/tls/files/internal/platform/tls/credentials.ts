import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';

/** Bytes of the keys that tickets of sessions are made with (https://nodejs.org/api/tls.html, `ticketKeys`). */
export const ticketKeysBytes = 48;

/** Paths of files. */
export interface CredentialFiles {
  readonly cert: string;
  readonly key: string;
  /** Without one, keys that nobody else has. */
  readonly ticketKeys?: string | undefined;
}

/** What the service proves itself with, in words that `tls.createServer` takes. */
export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ticketKeys: Buffer;
}

/** The contents of the files as they are, sound or not. */
export interface Contents {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ticketKeys?: Buffer | undefined;
}

/**
 * @param files all of them small
 * @returns what stands in them
 * @throws {Error} naming a file that cannot be read, and the setting that names it
 */
export async function readContents({ cert, key, ticketKeys }: CredentialFiles): Promise<Contents> {
  const [certBytes, keyBytes, ticketBytes] = await Promise.all([
    read('TLS_CERT_FILE', cert),
    read('TLS_KEY_FILE', key),
    ticketKeys === undefined ? undefined : read('TLS_TICKET_KEYS_FILE', ticketKeys),
  ]);
  return { cert: certBytes, key: keyBytes, ticketKeys: ticketBytes };
}

async function read(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`${setting}: ${file} cannot be read; it has to be a file that the service may read`, { cause });
  }
}

/**
 * Makes sure that a server could work with these.
 * @param contents of the files
 * @param files where they come from, for messages
 * @param ownTicketKeys taken when there is no file of them
 * @returns the credentials, and the certificate that clients see
 * @throws {Error} saying what is wrong, and with which setting; never what stands in the key
 */
export function credentialsOf(
  contents: Contents,
  files: CredentialFiles,
  ownTicketKeys: Buffer,
): { credentials: Credentials; certificate: X509Certificate } {
  const { cert, key } = contents;
  const certificate = attempt(
    `TLS_CERT_FILE: the certificate cannot be read; ${files.cert} has to hold one as PEM`,
    () => new X509Certificate(cert),
  );
  const privateKey = attempt(
    `TLS_KEY_FILE: the private key cannot be read; ${files.key} has to hold one as PEM, without a passphrase`,
    () => createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(
      `TLS_KEY_FILE: the private key is not that of the certificate; ${files.key} has to belong to ${files.cert}, of TLS_CERT_FILE`,
    );
  }
  // What OpenSSL thinks too weak, say.
  attempt(`TLS_CERT_FILE: the certificate cannot be used; ${files.cert} has to hold another`, () =>
    createSecureContext({ cert, key }),
  );
  return { credentials: { cert, key, ticketKeys: ticketKeysOf(contents, files) ?? ownTicketKeys }, certificate };
}

function ticketKeysOf({ ticketKeys }: Contents, files: CredentialFiles): Buffer | undefined {
  if (ticketKeys === undefined) return undefined;
  const message = `TLS_TICKET_KEYS_FILE: the ticket keys cannot be used; make some: openssl rand -base64 ${ticketKeysBytes} > ${files.ticketKeys}`;
  return attempt(message, () => decodeTicketKeys(ticketKeys));
}

/** @returns keys for tickets that nobody else has */
export function newTicketKeys(): Buffer {
  return randomBytes(ticketKeysBytes);
}

/**
 * @param text base64
 * @returns the keys
 * @throws {Error} when they are not as many bytes as they should be
 */
export function decodeTicketKeys(text: Buffer | string): Buffer {
  const keys = Buffer.from(text.toString(), 'base64');
  if (keys.length !== ticketKeysBytes) {
    throw new Error(`the ticket keys are ${keys.length} bytes in base64, not ${ticketKeysBytes}`);
  }
  return keys;
}

function attempt<Value>(message: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    throw new Error(message, { cause });
  }
}
