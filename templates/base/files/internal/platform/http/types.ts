import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest, RawServerDefault } from 'fastify';
import type { Static } from 'typebox';
import type { Logger } from '../log/logger.ts';
import type { config } from './config.ts';
import type { Problem } from './problems.ts';

/** The API's server. Modules register their routes on it while they start. */
export type Http = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, TypeBoxTypeProvider>;

declare module 'fastify' {
  /** What a route says for the contract. */
  interface FastifySchema {
    /** Whether the contract leaves the route out. */
    hide?: boolean;
    operationId?: string;
    summary?: string;
    description?: string;
    tags?: readonly string[];
    deprecated?: boolean;
    security?: ReadonlyArray<{ [securityLabel: string]: readonly string[] }>;
  }
  interface FastifyInstance {
    /** The steps before the handler. Modules add their own while they start. */
    chain: Chain;
    /** Answers a request that cannot be routed, with a log line and a metric. */
    refuse: (request: IncomingMessage, response: ServerResponse, answer: Problem) => void;
    /** The API's limits, for other protocols that carry it. */
    limits: Static<typeof config>;
  }
}

/** Passes the request on; an error becomes the reply. */
export type Next = (error?: Error) => void;

/** Calls `next`, or returns a promise, or sends a reply before it returns. */
export type Handle = (request: FastifyRequest, reply: FastifyReply, next: Next) => void | Promise<void>;

/** A named step that requests pass before their body is read. */
export interface Middleware {
  /** For metrics and operators: `jwt`, `quotas`. */
  readonly name: string;
  /** The Fastify hook. The caller is not known yet at `onRequest`, and known at `preParsing`. */
  readonly at: 'onRequest' | 'preParsing';
  /** Whether operators cannot switch it off, because it protects the service. */
  readonly fixed?: boolean;
  /** Can be replaced while the server runs, which a hook of Fastify cannot. */
  handle: Handle;
}

/** The middleware of a server, in the order in which modules add it. */
export class Chain {
  readonly #http: Http;
  readonly #steps: Middleware[] = [];

  constructor(http: Http) {
    this.#http = http;
  }

  /** In the order in which requests pass them. */
  get steps(): readonly Middleware[] {
    return ['onRequest', 'preParsing'].flatMap((at) => this.#steps.filter((step) => step.at === at));
  }

  /**
   * @param middleware runs after those at the same hook
   * @returns the step, whose `handle` can be replaced
   * @throws {Error} when the name is in use
   */
  add(middleware: Middleware): Middleware {
    const step = { ...middleware };
    const { name, at } = step;
    if (this.#steps.some((each) => each.name === name)) throw new Error(`duplicate middleware name "${name}"`);
    this.#steps.push(step);
    if (at === 'onRequest') this.#http.addHook(at, (request, reply, done) => step.handle(request, reply, done));
    else this.#http.addHook(at, (request, reply, _payload, done) => step.handle(request, reply, done));
    return step;
  }
}
