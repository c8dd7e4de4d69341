import type { IncomingHttpHeaders } from 'node:http';

/**
 * Browsers let any page open a WebSocket to anywhere and say only where the page is from (RFC 6455, 10.2): the server has to look.
 * @param headers of the request to upgrade
 * @param allowed origins with commas between, or `*`; when undefined, only that of the host asked for
 * @returns whether its page may connect; who is no browser sends no origin
 */
export function isAllowedOrigin({ origin, host }: IncomingHttpHeaders, allowed: string | undefined): boolean {
  if (origin === undefined || allowed === '*') return true;
  if (allowed !== undefined) return allowed.split(/\s*,\s*/).includes(origin);
  return host !== undefined && URL.parse(origin)?.host === host;
}
