import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../log/logger.ts';
import type { TlsMetrics } from './metrics.ts';

/** A certificate with its chain, and its private key, both as PEM. */
export interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface CertificateOptions {
  /** Paths of the two files. */
  readonly files: { readonly cert: string; readonly key: string };
  readonly log: Logger;
  readonly metrics: Pick<TlsMetrics, 'expiry' | 'reloaded'>;
}

/**
 * The certificate of the service, which is renewed while the service runs. The files are read and compared rather than watched: this works
 * on every file system, and with the symbolic links that Kubernetes swaps (decision 071).
 */
export class Certificate {
  readonly #options: CertificateOptions;
  #inUse: Credentials | undefined;
  /** The last fault that was logged: a fault that stays is logged once. */
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param options paths of the files, log and metrics */
  constructor(options: CertificateOptions) {
    this.#options = options;
  }

  /**
   * Reads the files at start. An expired certificate is accepted: the service would otherwise not start at all.
   * @returns the credentials to begin with
   * @throws {Error} naming the setting and the file that cannot be used
   */
  async load(): Promise<Credentials> {
    const credentials = await readCredentials(this.#options.files);
    this.#use(credentials, inspect(credentials, this.#options.files));
    return credentials;
  }

  /**
   * @param everyMs milliseconds between two checks of the files
   * @param apply takes changed credentials
   */
  watch(everyMs: number, apply: (credentials: Credentials) => void): void {
    // `reload` has logged the error.
    this.#timer = setInterval(() => void this.reload(apply).catch(() => undefined), everyMs).unref();
  }

  /** Ends the checks. */
  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * Takes up changed files. Files that are broken or expired change nothing: the certificate in use stays.
   * @param apply takes changed credentials
   * @throws {Error} naming the setting and the file that cannot be used
   */
  async reload(apply: (credentials: Credentials) => void): Promise<void> {
    const { files, log, metrics } = this.#options;
    try {
      const credentials = await readCredentials(files);
      if (this.#inUse?.cert.equals(credentials.cert) !== true || !this.#inUse.key.equals(credentials.key)) {
        const certificate = inspect(credentials, files);
        if (hasExpired(certificate)) {
          throw new Error(`TLS_CERT_FILE: the certificate expired at ${certificate.validTo}; renew ${files.cert}`);
        }
        apply(credentials);
        this.#use(credentials, certificate);
      }
      this.#fault = undefined;
      metrics.reloaded.set(1);
    } catch (err) {
      metrics.reloaded.set(0);
      if (String(err) !== this.#fault) log.error({ err, files }, 'certificate not reloaded: the former stays in use');
      this.#fault = String(err);
      throw err;
    }
  }

  #use(credentials: Credentials, certificate: X509Certificate): void {
    const { log, metrics } = this.#options;
    const { subject, subjectAltName, fingerprint256, validToDate: until } = certificate;
    this.#inUse = credentials;
    metrics.expiry.set(until.getTime() / 1000);
    metrics.reloaded.set(1);
    const level = hasExpired(certificate) ? 'error' : 'info';
    log[level]({ subject, subjectAltName, fingerprint256, until }, 'certificate loaded');
  }
}

async function readCredentials({ cert, key }: CertificateOptions['files']): Promise<Credentials> {
  const [certBytes, keyBytes] = await Promise.all([read('TLS_CERT_FILE', cert), read('TLS_KEY_FILE', key)]);
  return { cert: certBytes, key: keyBytes };
}

async function read(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Error(`${setting}: ${file} cannot be read`, { cause });
  }
}

/** Checks that a server can work with the credentials. The errors never contain the key. */
function inspect({ cert, key }: Credentials, files: CertificateOptions['files']): X509Certificate {
  const certificate = attempt(
    `TLS_CERT_FILE: the certificate cannot be read; ${files.cert} must hold a certificate as PEM`,
    () => new X509Certificate(cert),
  );
  const privateKey = attempt(
    `TLS_KEY_FILE: the private key cannot be read; ${files.key} must hold a key as PEM, without a passphrase`,
    () => createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Error(
      `TLS_KEY_FILE: the private key does not match the certificate; ${files.key} must belong to ${files.cert}`,
    );
  }
  // OpenSSL refuses weak keys, for example.
  attempt(`TLS_CERT_FILE: OpenSSL refuses the certificate ${files.cert}`, () => createSecureContext({ cert, key }));
  return certificate;
}

function attempt<Value>(message: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    throw new Error(message, { cause });
  }
}

function hasExpired({ validToDate }: X509Certificate): boolean {
  return validToDate.getTime() <= Date.now();
}
