import type { FastifyRequest } from 'fastify';
import type { ApiVersions } from './apiVersions.ts';
import type { MediaTypes } from './mediaTypes.ts';
import { type Fault, type Mount, type Strategy, type Wanted, byDefault, contradiction, lookUp } from './strategy.ts';

/** What begins with a digit is taken for a version: `/vendors` is none. */
const another = String.raw`/v:apiVersion(^\d[^/]*$)`;
const versioned = /^\/v\d[^/?]*(?=\/)/;

/** `/v2/parts`; and `/parts`, for whoever names none. Each is a route of its own, in logs, metrics and contract too. */
export class InPath implements Strategy {
  readonly #versions: ApiVersions;
  readonly #mediaTypes: MediaTypes;

  /**
   * @param versions of the API
   * @param mediaTypes that would name one: a request that does so must not mean another
   */
  constructor(versions: ApiVersions, mediaTypes: MediaTypes) {
    this.#versions = versions;
    this.#mediaTypes = mediaTypes;
  }

  prepare(): void {
    // A path is a path.
  }

  mounts(url: string, version: number): readonly Mount[] {
    const named = { url: `/v${version}${url}`, suffix: `V${version}` };
    return version === this.#versions.default ? [named, { url, suffix: '' }] : [named];
  }

  refusals(url: string, missing: readonly number[]): readonly Mount[] {
    const named = { url: another + url, suffix: '' };
    const { default: unnamed, served } = this.#versions;
    const hasNoDefault = missing.includes(unnamed) || !served.includes(unnamed);
    return hasNoDefault ? [named, { url, suffix: '' }] : [named];
  }

  read(request: FastifyRequest, version?: number): Wanted | Fault {
    if (version === undefined) {
      const { apiVersion } = paramsOf(request);
      return apiVersion === undefined ? byDefault(this.#versions) : lookUp(this.#versions, apiVersion, 404);
    }
    const other = this.#mediaTypes.contradicting(request.headers, version);
    return other === undefined
      ? // Of the route: in what was sent it may be encoded.
        { version, isNamed: versioned.test(request.routeOptions.url ?? '') }
      : contradiction(String(version), other);
  }

  locate(path: string, version: number): string {
    return `/v${version}${path}`;
  }

  strip(url: string): string {
    return url.replace(versioned, '');
  }
}

function paramsOf({ params }: FastifyRequest): { readonly apiVersion?: string } {
  const isObject = typeof params === 'object' && params !== null;
  return isObject && 'apiVersion' in params ? { apiVersion: String(params.apiVersion) } : {};
}
