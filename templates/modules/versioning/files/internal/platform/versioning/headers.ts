import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Announcement, announcementOf, link } from './announcement.ts';
import type { ApiVersions, Version } from './apiVersions.ts';
import type { Operation } from './operation.ts';
import type { Strategy } from './strategy.ts';

/**
 * Sets the headers that belong to a version, beside those that are there.
 * @param reply that is about to be sent
 * @param strategy how callers name one
 * @param end what replies tell of its end, and where its successor is; undefined when there is nothing to tell
 */
export function setHeaders(reply: FastifyReply, strategy: Strategy, end: End | undefined): void {
  if (strategy.vary !== undefined) append(reply, 'vary', strategy.vary);
  if (end === undefined) return;
  const { deprecation, sunset, links } = end.announcement;
  reply.header('deprecation', deprecation);
  if (sunset !== undefined) reply.header('sunset', sunset);
  const all = [...links, ...successorLink(reply.request, strategy, end.successor())];
  if (all.length > 0) append(reply, 'link', all.join(', '));
}

/** How a version of a route ends. */
export interface End {
  readonly announcement: Announcement;
  /** The newest version of the route that lasts; asked for once all are known. */
  readonly successor: () => number | undefined;
}

/**
 * @param versions of the API
 * @param number of one of them
 * @param operation the route
 * @returns how that version of it ends; undefined as long as nothing was announced
 */
export function endOf({ all }: ApiVersions, number: number, { schemas }: Operation): End | undefined {
  const version = all.find((each) => each.number === number);
  const announcement = version && announcementOf(version);
  if (announcement === undefined) return undefined;
  const lasts = (other: Version): boolean =>
    other.number > number && other.deprecated === undefined && schemas.has(other.number);
  return { announcement, successor: () => all.findLast(lasts)?.number };
}

/** RFC 5829, 3.3. */
function successorLink({ url }: FastifyRequest, strategy: Strategy, successor: number | undefined): readonly string[] {
  if (successor === undefined) return [];
  const type = strategy.mediaType?.(successor);
  const parameters = `rel="successor-version"${type === undefined ? '' : `; type="${type}"`}`;
  return [link(strategy.locate(strategy.strip(url), successor), parameters)];
}

function append(reply: FastifyReply, name: string, value: string): void {
  const given = reply.getHeader(name);
  reply.header(name, given === undefined ? value : `${String(given)}, ${value}`);
}
