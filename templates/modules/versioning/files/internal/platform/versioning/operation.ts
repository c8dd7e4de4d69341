import type { FastifyContextConfig, FastifySchema } from 'fastify';
import type { Mount } from './strategy.ts';

/** A route with all of its versions. */
export interface Operation {
  readonly method: string | string[];
  /** As it was declared, without a version. */
  readonly url: string;
  /** As the first of its versions has it: who may call is asked of those too that are told of no version. */
  readonly config: FastifyContextConfig | undefined;
  /** By version, in the order of their numbers. */
  readonly schemas: Map<number, FastifySchema>;
  /** What the contract says of bodies and replies where all versions are one operation. */
  joined?: FastifySchema;
}

/** What a route knows of its version. */
export interface RouteVersion {
  /** Undefined where requests end up that no version serves. */
  readonly number: number | undefined;
  readonly mount: Mount;
  readonly operation: Operation;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The version of the API that the route belongs to; undefined when it is in all of them the same. */
    version?: RouteVersion;
  }
}
