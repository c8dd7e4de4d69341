import type { Principal } from '../identity/module.ts';

/** The longest name of a consumer in a metric, in characters. */
const longest = 100;

export interface ConsumerOptions {
  /** Claim that names the program that calls (RFC 9068, 2.2). */
  readonly claim: string;
  /** How many are told apart. */
  readonly max: number;
}

/** Who calls, as a label of a metric: the first so many by name, since a metric that grows without end takes the service down. */
export class Consumers {
  readonly #options: ConsumerOptions;
  readonly #names = new Set<string>();

  /** @param options what names them, and how many there may be */
  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  /**
   * @param principal by whose token the request came; undefined when nobody is known
   * @returns its name; `anonymous`, or `other` once there are too many
   */
  nameOf(principal: Principal | undefined): string {
    if (principal === undefined) return 'anonymous';
    const claimed = principal.claims[this.#options.claim];
    const name = (typeof claimed === 'string' && claimed !== '' ? claimed : principal.subject).slice(0, longest);
    if (this.#names.has(name)) return name;
    if (this.#names.size >= this.#options.max) return 'other';
    this.#names.add(name);
    return name;
  }
}
