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
 * @throws {Error} naming a file that cannot be read
 */
export async function readContents({ cert, key, ticketKeys }: CredentialFiles): Promise<Contents> {
  const [certBytes, keyBytes, ticketBytes] = await Promise.all([
    readFile(cert),
    readFile(key),
    ticketKeys === undefined ? undefined : readFile(ticketKeys),
  ]);
  return { cert: certBytes, key: keyBytes, ticketKeys: ticketBytes };
}

/**
 * Makes sure that a server could work with these.
 * @param contents of the files
 * @param ownTicketKeys taken when there is no file of them
 * @returns the credentials, and the certificate that clients see
 * @throws {Error} saying what is wrong; never what stands in the key
 */
export function credentialsOf(
  contents: Contents,
  ownTicketKeys: Buffer,
): { credentials: Credentials; certificate: X509Certificate } {
  const { cert, key } = contents;
  const certificate = attempt('the certificate cannot be read', () => new X509Certificate(cert));
  const privateKey = attempt('the private key cannot be read', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error('the private key is not that of the certificate');
  // What OpenSSL thinks too weak, say.
  attempt('the certificate cannot be used', () => createSecureContext({ cert, key }));
  const ticketKeys = contents.ticketKeys === undefined ? ownTicketKeys : decodeTicketKeys(contents.ticketKeys);
  return { credentials: { cert, key, ticketKeys }, certificate };
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
