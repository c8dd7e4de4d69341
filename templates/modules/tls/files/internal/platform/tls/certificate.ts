import type { X509Certificate } from 'node:crypto';
import type { Logger } from '../log/logger.ts';
import { type Contents, type CredentialFiles, type Credentials, credentialsOf, readContents } from './credentials.ts';
import type { Http2Metrics } from './metrics.ts';

export interface CertificateOptions {
  readonly files: CredentialFiles;
  readonly log: Logger;
  readonly metrics: Pick<Http2Metrics, 'expiry' | 'reloaded'>;
  /** Keys for tickets where there is no file of them. */
  readonly ticketKeys: Buffer;
}

/**
 * The certificate of the service, which is renewed every few weeks while it runs. Its files are read, and compared with what was read
 * before, rather than watched: that works on every file system, and with the links that Kubernetes swaps.
 */
export class Certificate {
  readonly #options: CertificateOptions;
  #inUse: Contents | undefined;
  /** Why the files cannot be used, told once. */
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param options where it is, and who hears of it */
  constructor(options: CertificateOptions) {
    this.#options = options;
  }

  /**
   * @returns the credentials to begin with, also those of a certificate that has ended: to have none would be worse
   * @throws {Error} when there is nothing to work with
   */
  async load(): Promise<Credentials> {
    const { files, ticketKeys } = this.#options;
    const contents = await readContents(files);
    const { credentials, certificate } = credentialsOf(contents, files, ticketKeys);
    this.#use(contents, certificate);
    this.#options.metrics.reloaded.set(1);
    return credentials;
  }

  /**
   * @param everyMs milliseconds between two looks at the files
   * @param apply is given what has changed
   */
  watch(everyMs: number, apply: (credentials: Credentials) => void): void {
    this.#timer = setInterval(() => {
      // It has been told of.
      void this.reload(apply).catch(() => undefined);
    }, everyMs).unref();
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  /**
   * Takes up what has changed. What is broken, or has ended, changes nothing: the certificate in use stays.
   * @param apply is given what has changed
   * @throws {Error} saying what is wrong with the files
   */
  async reload(apply: (credentials: Credentials) => void): Promise<void> {
    const { files, ticketKeys } = this.#options;
    try {
      const contents = await readContents(files);
      if (!isSame(contents, this.#inUse)) {
        const { credentials, certificate } = credentialsOf(contents, files, ticketKeys);
        if (hasEnded(certificate)) {
          throw new Error(`TLS_CERT_FILE: the certificate has ended at ${certificate.validTo}; renew ${files.cert}`);
        }
        apply(credentials);
        this.#use(contents, certificate);
      }
      this.#fault = undefined;
      this.#options.metrics.reloaded.set(1);
    } catch (error) {
      this.#tell(error);
      throw error;
    }
  }

  #use(contents: Contents, certificate: X509Certificate): void {
    const { log, metrics } = this.#options;
    const { subject, subjectAltName, fingerprint256, validToDate: until } = certificate;
    this.#inUse = contents;
    metrics.expiry.set(until.getTime() / 1000);
    log[hasEnded(certificate) ? 'error' : 'info'](
      { subject, subjectAltName, fingerprint256, until },
      'certificate loaded',
    );
  }

  #tell(err: unknown): void {
    const { files, log, metrics } = this.#options;
    metrics.reloaded.set(0);
    const fault = String(err);
    if (fault !== this.#fault) log.error({ err, files }, 'certificate not reloaded: the former stays in use');
    this.#fault = fault;
  }
}

function hasEnded({ validToDate }: X509Certificate): boolean {
  return validToDate.getTime() <= Date.now();
}

function isSame(one: Contents, other: Contents | undefined): boolean {
  return (
    other !== undefined &&
    one.cert.equals(other.cert) &&
    one.key.equals(other.key) &&
    (one.ticketKeys === undefined || other.ticketKeys === undefined || one.ticketKeys.equals(other.ticketKeys))
  );
}
