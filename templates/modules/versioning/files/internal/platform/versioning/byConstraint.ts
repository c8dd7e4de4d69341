import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Http } from '../http/server.ts';
import type { ApiVersions } from './apiVersions.ts';
import type { Join } from './joined.ts';
import { type Fault, type Mount, type Strategy, type Wanted, byDefault } from './strategy.ts';

const name = 'apiVersion';
/** What the router is told of requests that no version serves; numbers are those of versions. */
const none = 'none';

/**
 * A version that does not show in the path: its routes have one URL, and the router tells them apart by a constraint
 * (https://fastify.dev/docs/latest/Reference/Routes/#constraints), which it asks of each request once there are such routes.
 */
export abstract class ByConstraint implements Strategy {
  protected readonly versions: ApiVersions;
  readonly #byDefault: Wanted | Fault;
  /** Of requests that name a version; whatever names none is not kept. */
  readonly #named = new WeakMap<IncomingMessage, Wanted | Fault>();

  /** @param versions of the API */
  constructor(versions: ApiVersions) {
    this.versions = versions;
    this.#byDefault = byDefault(versions);
  }

  /** What a request names; undefined when it names nothing. */
  protected abstract named(request: IncomingMessage): Wanted | Fault | undefined;
  abstract join(addSchema: (schema: TSchema) => void): Join;
  abstract locate(path: string, version: number): string;
  abstract strip(url: string): string;

  prepare(http: Http): void {
    http.addConstraintStrategy({
      name,
      storage: () => new Map(),
      deriveConstraint: (request: IncomingMessage) => keyOf(this.#derive(request)),
    });
  }

  mounts(url: string, version: number): readonly Mount[] {
    return [mount(url, String(version))];
  }

  refusals(url: string, missing: readonly number[]): readonly Mount[] {
    return [none, ...missing.map(String)].map((key) => mount(url, key));
  }

  read({ raw }: FastifyRequest): Wanted | Fault {
    return this.#named.get(raw) ?? this.#byDefault;
  }

  #derive(request: IncomingMessage): Wanted | Fault {
    const named = this.named(request);
    if (named === undefined) return this.#byDefault;
    this.#named.set(request, named);
    return named;
  }
}

function keyOf(wanted: Wanted | Fault): string {
  return 'version' in wanted ? String(wanted.version) : none;
}

function mount(url: string, key: string): Mount {
  return { url, suffix: '', constraints: { [name]: key } };
}
