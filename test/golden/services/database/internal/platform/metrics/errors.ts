import { Counter, type Registry } from '@prometheus-io/client';

/** Codes stand in the code, so there are few; should somebody make one of an id, the rest is counted as one. */
const mostCodes = 200;

/** Errors that callers were answered with, whatever the protocol. */
export class ErrorCounts {
  readonly #counter: Counter<'code'>;
  readonly #codes = new Set<string>();

  /** @param registry where they are to be seen, as `errors_total` */
  constructor(registry: Registry) {
    this.#counter = new Counter({
      name: 'errors_total',
      help: 'Errors that callers were answered with, or cut off for, by their code.',
      labelNames: ['code'],
      registers: [registry],
    });
  }

  /** @param code of the ServiceError that decided; `unknown` is what nobody has given a code: a fault of our own */
  count(code = 'unknown'): void {
    if (this.#codes.size < mostCodes) this.#codes.add(code);
    this.#counter.inc({ code: this.#codes.has(code) ? code : 'other' });
  }
}
