import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { about } from '../app/about.ts';
import type { Http } from '../http/server.ts';
import type { ApiVersions } from './apiVersions.ts';

/** Where a route of a version is registered. */
export interface Mount {
  readonly url: string;
  readonly constraints?: Readonly<Record<string, string>>;
  /** Appended to the operationId, which is unique in the contract. */
  readonly suffix: string;
}

/** The version for a request. */
export interface Wanted {
  readonly version: number;
  /** False when the request names none and gets the default. */
  readonly isNamed: boolean;
}

/** Why no version serves a request. */
export interface Fault {
  readonly reason: 'unknown' | 'retired' | 'contradiction';
  readonly status: number;
  /** The version that the request names, shortened. */
  readonly named: string;
}

/** One way in which callers name a version. */
export interface Strategy {
  /** The request header on which replies depend. */
  readonly vary?: string;
  /** The query parameter that names a version. */
  readonly parameter?: string;
  /** Where a route of a version is registered; the URL without a version is the last one. */
  readonly mounts: (url: string, version: number) => readonly Mount[];
  /** Where requests arrive that no version serves; `missing` are versions that lack the route. */
  readonly refusals: (url: string, missing: readonly number[]) => readonly Mount[];
  /** Reads the version of a request to one of these mounts. */
  readonly read: (request: FastifyRequest) => Wanted | Fault;
  /** Returns the URL of a path in a version. */
  readonly locate: (path: string, version: number) => string;
  /** The media types of a version, its own one first. Set only when all versions share a URL: the contract then has one operation for them. */
  readonly typesOf?: (version: number) => readonly [string, ...string[]];
}

/** Maximum length in characters, and number of ranges, of an Accept header that is negotiated: each range costs microseconds. */
const maxAccept = 1000;
const maxRanges = 16;

/**
 * @param http server without routes
 * @param versions of the API
 * @returns the strategy that the API has chosen
 */
export function strategyOf(http: Http, versions: ApiVersions): Strategy {
  const makers = { path: inPath, 'media-type': inMediaType, query: inQuery };
  return makers[versions.strategy](http, versions);
}

/** `/v2/parts`; and `/parts` for callers that name no version. Each is a route of its own in logs, metrics and contract. */
function inPath(_http: Http, versions: ApiVersions): Strategy {
  const { default: unnamed, served } = versions;
  return {
    mounts(url, version) {
      const named = { url: `/v${version}${url}`, suffix: `V${version}` };
      return version === unnamed ? [named, { url, suffix: '' }] : [named];
    },
    refusals(url, missing) {
      // A version begins with a digit: `/vendors` is none.
      const named = { url: String.raw`/v:apiVersion(^\d[^/]*$)${url}`, suffix: '' };
      const lacksDefault = missing.includes(unnamed) || !served.includes(unnamed);
      return lacksDefault ? [named, { url, suffix: '' }] : [named];
    },
    read({ params, routeOptions: { url = '' } }) {
      const named =
        typeof params === 'object' && params !== null && 'apiVersion' in params ? String(params.apiVersion) : undefined;
      // The version of the route: the URL of the request may be encoded.
      const text = /^\/v(\d+)\//.exec(url)?.[1] ?? named;
      return text === undefined ? byDefault(versions) : lookUp(versions, text, 404);
    },
    locate: (path, version) => `/v${version}${path}`,
  };
}

/** `/parts?version=2`. */
function inQuery(http: Http, versions: ApiVersions): Strategy {
  const parameter = 'version';
  const named = ({ url = '' }: IncomingMessage): Wanted | Fault | undefined => {
    const start = url.indexOf('?');
    if (start === -1) return undefined;
    const [text, ...others] = new URLSearchParams(url.slice(start)).getAll(parameter);
    if (text === undefined) return undefined;
    return others.length === 0 ? lookUp(versions, text, 400) : contradiction(text, ...others.slice(0, 2));
  };
  return {
    ...byConstraint(http, versions, named),
    parameter,
    locate: (path, version) => `${path}${path.includes('?') ? '&' : '?'}${parameter}=${version}`,
    typesOf: () => ['application/json'],
  };
}

/**
 * `Accept: application/vnd.<service>.v2+json`, or a parameter `version=2`. A body names its version by Content-Type; otherwise it has the
 * version of Accept. Callers that name none get the default as `application/json`.
 */
function inMediaType(http: Http, versions: ApiVersions): Strategy {
  const { default: unnamed, served, all } = versions;
  const tree = `application/vnd.${about.name.replace(/^@[^/]*\//, '').toLowerCase()}`;
  const typeOf = (version: number): string => `${tree}.v${version}+json`;
  const escaped = tree.replaceAll('.', String.raw`\.`);
  const mention = new RegExp(String.raw`${escaped}[.+]|;\s*version=`, 'i');
  const contentType = new RegExp(
    String.raw`^\s*(?:application/json|${escaped}(?:\.v([^+;]*))?\+json)\s*(?:;.*?\bversion="?([^";]*))?`,
    'i',
  );

  /** Versions by media type. Plain JSON, which is the default version, comes first, so that wildcards mean it. */
  const offers = new Map<string, string>([
    ...(served.includes(unnamed) ? [['application/json', 'any'] as const] : []),
    [`${tree}+json`, 'any'],
    ...all.flatMap(({ number }) =>
      [typeOf(number), `${tree}+json;version=${number}`, `application/json;version=${number}`].map(
        (type) => [type, String(number)] as const,
      ),
    ),
  ]);
  const retired = new Set(all.flatMap((version) => (version.retired ? [String(version.number)] : [])));

  /** The version that `Accept` prefers (RFC 9110, 12.5.1); `any` when it names none, undefined when none is acceptable. */
  const accepted = (accept: string | undefined): string | undefined => {
    if (accept === undefined || !mention.test(accept)) return 'any';
    if (accept.length > maxAccept) return undefined;
    const negotiator = new Negotiator({ headers: { accept: accept.split(',', maxRanges).join() } });
    const preferred = negotiator.mediaTypes([...offers.keys()]).map((type) => offers.get(type) ?? 'any');
    return preferred.find((version) => !retired.has(version)) ?? preferred[0];
  };
  const named = ({ headers }: IncomingMessage): Wanted | Fault | undefined => {
    const { accept = '', 'content-type': sentAs = '' } = headers;
    const wanted = accepted(headers.accept);
    if (wanted === undefined) return { reason: 'unknown', status: 406, named: shorten(accept) };
    const [, suffix, version] = contentType.exec(sentAs) ?? [];
    const sent = suffix ?? version;
    if (sent !== undefined && wanted !== 'any' && sent !== wanted) return contradiction(accept, sentAs);
    if (sent !== undefined) return lookUp(versions, sent, 415);
    return wanted === 'any' ? undefined : lookUp(versions, wanted, 406);
  };
  return {
    ...byConstraint(http, versions, named),
    vary: 'Accept',
    locate: (path) => path,
    typesOf: (version) => (version === unnamed ? [typeOf(version), 'application/json'] : [typeOf(version)]),
  };
}

/**
 * For versions that share a URL. The router selects the route by a constraint
 * (https://fastify.dev/docs/latest/Reference/Routes/#constraints).
 */
function byConstraint(
  http: Http,
  versions: ApiVersions,
  named: (request: IncomingMessage) => Wanted | Fault | undefined,
): Pick<Strategy, 'mounts' | 'refusals' | 'read'> {
  const name = 'apiVersion';
  const none = 'none';
  /** Versions that requests name, from routing to the reply. */
  const known = new WeakMap<IncomingMessage, Wanted | Fault>();
  const unnamed = byDefault(versions);
  const mount = (url: string, key: string): Mount => ({ url, suffix: '', constraints: { [name]: key } });
  http.addConstraintStrategy({
    name,
    storage: () => new Map(),
    deriveConstraint(request: IncomingMessage) {
      const found = named(request);
      if (found !== undefined) known.set(request, found);
      const wanted = found ?? unnamed;
      return 'version' in wanted ? String(wanted.version) : none;
    },
  });
  return {
    mounts: (url, version) => [mount(url, String(version))],
    refusals: (url, missing) => [none, ...missing.map(String)].map((key) => mount(url, key)),
    read: ({ raw }) => known.get(raw) ?? unnamed,
  };
}

/** Finds the version that a text of the request names. */
function lookUp({ all }: ApiVersions, text: string, status: number): Wanted | Fault {
  const found = all.find(({ number }) => String(number) === text);
  if (found === undefined) return { reason: 'unknown', status, named: shorten(text) };
  return found.retired ? { reason: 'retired', status: 410, named: text } : { version: found.number, isNamed: true };
}

function byDefault(versions: ApiVersions): Wanted | Fault {
  const wanted = lookUp(versions, String(versions.default), 404);
  return 'version' in wanted ? { ...wanted, isNamed: false } : wanted;
}

function contradiction(...named: readonly string[]): Fault {
  return { reason: 'contradiction', status: 400, named: named.map(shorten).join(' and ') };
}

/** Bounds the part of a request that a reply repeats. */
function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
