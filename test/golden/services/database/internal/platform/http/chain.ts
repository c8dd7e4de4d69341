import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Http } from './server.ts';

/** Lets a request go on; with an error, that is its answer. */
export type Next = (error?: Error) => void;

/** Calls `next`, or gives a promise, or answers the request before it returns. */
export type Handle = (request: FastifyRequest, reply: FastifyReply, next: Next) => void | Promise<void>;

/** One that requests pass on their way to their handler, before their body is read. */
export interface Middleware {
  /** For metrics and operators: `jwt`, `quotas`. */
  readonly name: string;
  /** Hook of Fastify's: at `onRequest` nobody knows yet who asks, at `preParsing` it is known. */
  readonly at: 'onRequest' | 'preParsing';
  /** Whether it stays, whatever an operator wants: what guards. */
  readonly fixed?: boolean;
  readonly handle: Handle;
}

/** Where something stands in the chain. */
export interface Place {
  readonly at: Middleware['at'];
  /** Undefined where a place is kept free. */
  readonly middleware: Middleware | undefined;
  /** What is done there: as the middleware has it, until somebody has it otherwise. */
  handle: Handle;
}

/**
 * What requests pass, in the order in which modules add it. Each place is a hook of Fastify's, which can neither be added nor
 * removed once the server listens; what is done in it can be changed at any time.
 */
export class Chain {
  readonly #http: Http;
  readonly #places: Place[] = [];

  /** @param http whose requests pass it */
  constructor(http: Http) {
    this.#http = http;
  }

  /** In the order in which requests pass them. */
  get places(): readonly Place[] {
    return ['onRequest', 'preParsing'].flatMap((at) => this.#places.filter((place) => place.at === at));
  }

  /**
   * @param middleware comes behind those at the same hook
   * @throws {Error} when there is one of that name
   */
  add(middleware: Middleware): void {
    const { name } = middleware;
    if (this.#places.some((place) => place.middleware?.name === name))
      throw new Error(`two middleware are called "${name}"`);
    this.#open({ at: middleware.at, middleware, handle: middleware.handle });
  }

  /**
   * @param at hook of the place
   * @returns a place behind the others, where nothing is done
   */
  keep(at: Middleware['at']): Place {
    return this.#open({ at, middleware: undefined, handle: pass });
  }

  #open(place: Place): Place {
    this.#places.push(place);
    if (place.at === 'onRequest') {
      this.#http.addHook('onRequest', (request, reply, done) => place.handle(request, reply, done));
    } else {
      this.#http.addHook('preParsing', (request, reply, _payload, done) => place.handle(request, reply, done));
    }
    return place;
  }
}

/** Does nothing. */
export function pass(_request: FastifyRequest, _reply: FastifyReply, next: Next): void {
  next();
}
