import { ServiceError } from '../../../../pkg/errors/index.ts';
import { fingerprintOf } from '../../http/idempotency.ts';

/** How many writes are remembered. */
const remembered = 10_000;
/** RFC 9562; of which version does not matter. */
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** One that was begun, or is done. */
interface Write<Result> {
  /** Tells its payload from any other. */
  readonly fingerprint: string;
  readonly result: Promise<Result>;
}

/** What was written lately, so that what is sent again, or another way, is not written again. */
export class Writes<Result> {
  readonly #known = new Map<string, Write<Result>>();

  /**
   * @param id chosen by the client
   * @param subject of the client, if it is known
   * @returns whether a write with this id can be told from those of others: clients without a subject share one space of ids, and
   * only a UUID is nobody else's
   */
  static isTold(id: string, subject: string | undefined): boolean {
    return subject !== undefined || uuid.test(id);
  }

  /**
   * Carries a write out, unless it came before. One that failed may be tried again.
   * @param id chosen by the client, for which `isTold`
   * @param subject of the client, if it is known
   * @param payload of the write
   * @param work does it
   * @returns what came of it, now or before
   * @throws {ServiceError} 422 when the id belongs to a write with another payload
   */
  once(id: string, subject: string | undefined, payload: unknown, work: () => Promise<Result>): Promise<Result> {
    const key = JSON.stringify([subject, id]);
    const fingerprint = fingerprintOf(payload);
    const known = this.#known.get(key);
    if (known === undefined) return this.#begin(key, fingerprint, work);
    if (known.fingerprint !== fingerprint) throw reused();
    return known.result;
  }

  #begin(key: string, fingerprint: string, work: () => Promise<Result>): Promise<Result> {
    const write = { fingerprint, result: work() };
    this.#known.set(key, write);
    write.result.catch(() => {
      if (this.#known.get(key) === write) this.#known.delete(key);
    });
    const [oldest] = this.#known.keys();
    if (this.#known.size > remembered && oldest !== undefined) this.#known.delete(oldest);
    return write.result;
  }
}

function reused(): ServiceError {
  return new ServiceError({
    code: 'idempotency_key_reused',
    status: 422,
    publicMessage: 'Another payload was sent with this id (Idempotency-Key, msgId).',
  });
}
