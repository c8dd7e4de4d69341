import type { Http } from '../http/server.ts';

/** What speaks of one connection by HTTP/1.1 (RFC 9113, 8.2.2); `connection` itself Node leaves out. */
const ofConnection = ['keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings'];

/**
 * Leaves such headers out of replies by HTTP/2, where they are malformed, as it is where a handler passes on what another service has
 * answered: Node refuses the whole reply.
 * @param http the API's server
 */
export function dropConnectionHeaders(http: Http): void {
  http.addHook('onSend', (request, reply, payload: unknown, done) => {
    if (request.raw.httpVersionMajor === 2) {
      for (const name of ofConnection) if (reply.hasHeader(name)) reply.removeHeader(name);
    }
    done(null, payload);
  });
}
