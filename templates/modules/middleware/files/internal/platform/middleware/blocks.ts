import { type Static, Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import { networks } from '../http/config.ts';
import { problem, type Refuse } from '../http/problems.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Handle } from '../http/types.ts';
import type { Logger } from '../log/logger.ts';

/** Whom a block applies to: callers that match everything that is given. */
export const Caller = Type.Object(
  {
    peers: Type.Optional(Type.String({ minLength: 1, description: 'Addresses or networks, separated by commas' })),
    subject: Type.Optional(Type.String({ minLength: 1, description: 'Subject of a verified token' })),
  },
  { additionalProperties: false, minProperties: 1 },
);

interface Block {
  readonly caller: Static<typeof Caller>;
  readonly until: Date | undefined;
  readonly timer: NodeJS.Timeout | undefined;
  readonly isPeer: (address: string) => boolean;
}

/** Callers that get 403. Operators add them while the service runs. */
export class Blocks {
  readonly #refuse: Refuse;
  readonly #log: Logger;
  readonly #blocks = new Map<string, Block>();

  /**
   * @param refuse answers blocked requests
   * @param log gets a line for every change
   */
  constructor(refuse: Refuse, log: Logger) {
    this.#refuse = refuse;
    this.#log = log;
  }

  /** All blocks, for operators. */
  get all() {
    return Array.from(this.#blocks, ([name, { caller, until }]) => ({ name, ...caller, until }));
  }

  /**
   * @param name of the block; one of the same name is replaced
   * @param caller who is blocked
   * @param seconds after which the block ends; undefined: never
   * @throws {ServiceError} 400 when an address is not valid
   */
  add(name: string, caller: Static<typeof Caller>, seconds?: number): void {
    const isPeer = caller.peers === undefined ? () => true : peersOf(caller.peers);
    clearTimeout(this.#blocks.get(name)?.timer);
    const until = seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000);
    const timer = seconds === undefined ? undefined : setTimeout(() => this.remove(name), seconds * 1000).unref();
    this.#blocks.set(name, { caller, until, timer, isPeer });
    this.#log.warn({ block: name, ...caller, until }, 'block added');
  }

  /**
   * @param name of the block
   * @throws {ServiceError} 404 when there is none
   */
  remove(name: string): void {
    const block = this.#blocks.get(name);
    if (block === undefined) throw notFound('block', name);
    clearTimeout(block.timer);
    this.#blocks.delete(name);
    this.#log.warn({ block: name }, 'block removed');
  }

  /** Removes all. */
  clear(): void {
    for (const name of this.#blocks.keys()) this.remove(name);
  }

  /** Refuses requests of blocked callers. */
  readonly handle: Handle = (request, reply, next) => {
    for (const { caller, isPeer } of this.#blocks.values()) {
      const isSubject = caller.subject === undefined || caller.subject === current().get(principalKey)?.subject;
      if (!isSubject || !isPeer(request.ip)) continue;
      const detail = 'Your requests are not answered for now.';
      return this.#refuse(request, reply, problem(403, { code: 'blocked', detail }));
    }
    next();
  };
}

function peersOf(list: string): (address: string) => boolean {
  try {
    return networks(list);
  } catch (cause) {
    throw invalidArgument(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
