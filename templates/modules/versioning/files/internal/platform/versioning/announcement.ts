import { type Version, momentOf } from './apiVersions.ts';

/** What replies of a version say of its end, in headers. */
export interface Announcement {
  /** RFC 9745, 2: seconds since 1970 as a date of structured fields (RFC 9651, 3.3.7). */
  readonly deprecation: string;
  /** RFC 8594, 3: a date as HTTP has it. */
  readonly sunset: string | undefined;
  /** Where that is explained, as members of a Link header (RFC 8288). */
  readonly links: readonly string[];
}

/**
 * @param version of the API
 * @returns what its replies say of its end; undefined as long as nothing was announced
 */
export function announcementOf({ deprecated, sunset, info }: Version): Announcement | undefined {
  if (deprecated === undefined) return undefined;
  const relations = ['deprecation', ...(sunset === undefined ? [] : ['sunset'])];
  return {
    deprecation: `@${momentOf(deprecated).getTime() / 1000}`,
    sunset: sunset === undefined ? undefined : momentOf(sunset).toUTCString(),
    links: info === undefined ? [] : [link(new URL(info).href, `rel="${relations.join(' ')}"; type="text/html"`)],
  };
}

/**
 * @param target of a link, as a caller may have written it
 * @param parameters that follow it
 * @returns a member of a Link header that nothing in the target can get out of
 */
export function link(target: string, parameters: string): string {
  return `<${target.replaceAll(/[<>"\\^`{|}\s]/g, encodeURIComponent)}>; ${parameters}`;
}
