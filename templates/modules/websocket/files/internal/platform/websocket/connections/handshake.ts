import type { IncomingMessage } from 'node:http';
import { subprotocol, tokenPrefix } from '../../../../pkg/client/websocket/envelope.ts';
import { ServiceError } from '../../../../pkg/errors/index.ts';

/** The only version there is (RFC 6455, 4.1); ws would take that of a draft, too. */
export const handshakeVersion = '13';
/** 16 bytes in base64. */
const keyPattern = /^[+/\dA-Za-z]{22}==$/;
/** Between the items of a list (RFC 9110, 5.6.1). */
const separator = /[ \t]*,[ \t]*/;
/** RFC 9110, 5.6.2. */
const tokenPattern = /^[!#$%&'*+.^_`|~\w-]+$/;

/**
 * A page cannot set the Authorization header of a WebSocket, and a token in the URL ends up in logs. It comes as one more
 * subprotocol, and goes on as the header that the guards of the service know.
 * @param request that asks to be upgraded
 */
export function takeToken(request: IncomingMessage): void {
  const offered = request.headers['sec-websocket-protocol']?.split(separator) ?? [];
  const tokens = offered.filter((name) => name.startsWith(tokenPrefix));
  if (tokens.length === 0) return;
  request.headers['sec-websocket-protocol'] = offered.filter((name) => !tokens.includes(name)).join(', ');
  for (const token of tokens) {
    const authorization = `Bearer ${token.slice(tokenPrefix.length)}`;
    // Of two tokens, guards are to see that there are two.
    request.rawHeaders.push('Authorization', authorization);
    request.headers.authorization ??= authorization;
  }
}

/**
 * @param request that asks to be upgraded, after `takeToken`
 * @throws {ServiceError} 400 or 426 when it is not as RFC 6455 (4.2.1) has it
 */
export function checkHandshake({ method, httpVersion, headers, rawHeaders }: IncomingMessage): void {
  if (method !== 'GET' || httpVersion !== '1.1') throw invalid('A WebSocket is asked for with GET, by HTTP/1.1.');
  if (headers['sec-websocket-version'] !== handshakeVersion) {
    throw invalid(`The version of WebSocket is ${handshakeVersion}.`, 426);
  }
  if (!keyPattern.test(headers['sec-websocket-key'] ?? '')) {
    throw invalid('The header Sec-WebSocket-Key is to be 16 bytes in base64.');
  }
  if (rawHeaders.filter(isAuthorization).length > 1) throw invalid('There is more than one token.');
  const protocols = headers['sec-websocket-protocol'];
  if (protocols === undefined) return;
  // A browser gives up a connection that is answered with none of the subprotocols it offered; and a token is never answered with.
  if (protocols === '') throw invalid(`Besides a token, offer the subprotocol "${subprotocol}".`);
  const names = protocols.split(separator);
  if (!names.every((name) => tokenPattern.test(name)) || new Set(names).size < names.length) {
    throw invalid('The header Sec-WebSocket-Protocol is to list different tokens, with commas between.');
  }
}

function isAuthorization(text: string, index: number): boolean {
  return index % 2 === 0 && text.toLowerCase() === 'authorization';
}

function invalid(publicMessage: string, status = 400): ServiceError {
  return new ServiceError({ code: 'invalid_handshake', status, publicMessage });
}
