import type { FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Http } from '../http/server.ts';
import type { ApiVersions } from './apiVersions.ts';
import type { Join } from './joined.ts';

/** A place where a route of a version stands. */
export interface Mount {
  readonly url: string;
  readonly constraints?: Readonly<Record<string, string>>;
  /** What is appended to the operationId, which is unique in the contract. */
  readonly suffix: string;
}

/** What a request asks for: a version that is served somewhere. */
export interface Wanted {
  readonly version: number;
  /** Whether the caller named it. */
  readonly isNamed: boolean;
}

/** Why a request is served by no version. */
export interface Fault {
  readonly reason: 'unknown' | 'retired' | 'contradiction';
  readonly status: number;
  /** What the request says, cut short. */
  readonly named: string;
}

/** One way in which callers name a version. */
export interface Strategy {
  /** The header of requests by which replies differ. */
  readonly vary?: string;
  /** The parameter of the query that names a version. */
  readonly parameter?: string;
  /** Makes a server tell versions apart; before it has routes. */
  prepare(http: Http): void;
  /**
   * @param url of a route
   * @param version that is served there
   * @returns where the route stands, the URL without a version last
   */
  mounts(url: string, version: number): readonly Mount[];
  /**
   * @param url of a route
   * @param missing versions that are served elsewhere, but not there
   * @returns where requests end up for which there is no version
   */
  refusals(url: string, missing: readonly number[]): readonly Mount[];
  /**
   * @param request at one of these places
   * @param version of the route there; undefined where requests are refused
   * @returns what it asks for
   */
  read(request: FastifyRequest, version?: number): Wanted | Fault;
  /**
   * Where all versions of a route have one URL, and so are one operation of the contract.
   * @param addSchema makes the name of a schema known
   * @returns how the operation says of a body what it is in each version
   */
  join?(addSchema: (schema: TSchema) => void): Join;
  /** The media type of replies, when it is not `application/json`. */
  mediaType?(version: number): string;
  /**
   * @param path with query, without a version
   * @param version whose reply is wanted
   * @returns the URL under which it is had
   */
  locate(path: string, version: number): string;
  /**
   * @param url of a request at one of these places
   * @returns path and query without the version
   */
  strip(url: string): string;
}

/**
 * @param versions of the API
 * @param text by which a request names one
 * @param status of the reply when there is none by that name
 * @returns the version, or why there is none
 */
export function lookUp(versions: ApiVersions, text: string, status: number): Wanted | Fault {
  const found = versions.all.find(({ number }) => String(number) === text);
  if (found === undefined) return { reason: 'unknown', status, named: shorten(text) };
  if (found.retired) return { reason: 'retired', status: 410, named: text };
  return { version: found.number, isNamed: true };
}

/**
 * @param versions of the API
 * @returns what whoever names no version gets
 */
export function byDefault(versions: ApiVersions): Wanted | Fault {
  const wanted = lookUp(versions, String(versions.default), 404);
  return 'version' in wanted ? { ...wanted, isNamed: false } : wanted;
}

/**
 * @param named all that a request says, each by another of its parts
 * @returns that it contradicts itself
 */
export function contradiction(...named: readonly string[]): Fault {
  return { reason: 'contradiction', status: 400, named: named.map(shorten).join(' and ') };
}

/**
 * @param text of a caller, however long
 * @returns as much of it as a reply repeats
 */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
