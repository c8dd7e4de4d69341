import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Gauge } from '@prometheus-io/client';
import type { Logger } from '../log/logger.ts';

/** Paths of the certificate with its chain, and of its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate with its chain, and its private key, both as PEM. */
export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * The certificate of the service, which is renewed while the service runs. The files are read and compared rather than watched: this works
 * on every file system, and with the symbolic links that Kubernetes swaps (decision 071).
 */
export class Certificate {
  readonly #files: CertificateFiles;
  readonly #log: Logger;
  readonly #expiry: Gauge;
  #inUse: Credentials | undefined;
  /** The last fault that was logged: a fault that stays is logged once. */
  #fault: string | undefined;

  /**
   * @param files PEM files
   * @param log gets a line for each certificate, and for each fault
   * @param expiry tells when the certificate in use expires, in seconds since 1970
   */
  constructor(files: CertificateFiles, log: Logger, expiry: Gauge) {
    this.#files = files;
    this.#log = log;
    this.#expiry = expiry;
  }

  /**
   * Reads the files at start. An expired certificate is accepted: the service would otherwise not start at all.
   * @returns the credentials to begin with
   * @throws {Error} naming the settings and files that cannot be used
   */
  async load(): Promise<Credentials> {
    const credentials = await this.#read();
    this.#use(credentials, inspect(credentials, this.#files));
    return credentials;
  }

  /**
   * Takes up changed files. Files that are broken or expired change nothing: the certificate in use stays.
   * @param apply takes changed credentials
   * @throws {Error} naming the settings and files that cannot be used
   */
  async reload(apply: (credentials: Credentials) => void): Promise<void> {
    try {
      const credentials = await this.#read();
      if (!isDeepStrictEqual(credentials, this.#inUse)) {
        const certificate = inspect(credentials, this.#files);
        if (hasExpired(certificate))
          throw new Error(`TLS_CERT_FILE: the certificate expired: renew ${this.#files.cert}`);
        apply(credentials);
        this.#use(credentials, certificate);
      }
      this.#fault = undefined;
    } catch (err) {
      if (String(err) !== this.#fault) this.#log.error({ err }, 'certificate not reloaded: the former stays in use');
      this.#fault = String(err);
      throw err;
    }
  }

  async #read(): Promise<Credentials> {
    const { cert, key } = this.#files;
    try {
      return { cert: await readFile(cert), key: await readFile(key) };
    } catch (cause) {
      throw new Error(`TLS_CERT_FILE, TLS_KEY_FILE: cannot read ${cert} and ${key}`, { cause });
    }
  }

  #use(credentials: Credentials, certificate: X509Certificate): void {
    const { subject, subjectAltName, fingerprint256, validToDate: until } = certificate;
    this.#inUse = credentials;
    this.#expiry.set(until.getTime() / 1000);
    const level = hasExpired(certificate) ? 'error' : 'info';
    this.#log[level]({ subject, subjectAltName, fingerprint256, until }, 'certificate loaded');
  }
}

/** Checks that a server can work with the credentials. OpenSSL's errors never contain the key. */
function inspect(credentials: Credentials, { cert, key }: CertificateFiles): X509Certificate {
  try {
    createSecureContext(credentials);
    return new X509Certificate(credentials.cert);
  } catch (cause) {
    throw new Error(`TLS_CERT_FILE, TLS_KEY_FILE: ${cert} and ${key} must be a certificate and its key, as PEM`, {
      cause,
    });
  }
}

function hasExpired({ validToDate }: X509Certificate): boolean {
  return validToDate.getTime() <= Date.now();
}
