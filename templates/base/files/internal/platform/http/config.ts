import { isIP } from 'node:net';
import { compile } from '@fastify/proxy-addr';
import { Type } from 'typebox';
import { atMost, type Rule, rule } from '../config/config.ts';

/** An integer setting with a default, which is also its example. */
const integer = (value: number, description: string, minimum = 1) =>
  Type.Integer({ minimum, default: value, description, examples: [value] });

/** A port to listen on; 0 means any free port. */
export const port = (value: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: value, description, examples: [value] });

export const config = Type.Object({
  HOST: Type.String({ default: '0.0.0.0', description: 'Address on which the API listens', examples: ['127.0.0.1'] }),
  PORT: port(8080, 'Port of the API; 0 takes any free one'),
  HTTP_BODY_LIMIT_BYTES: integer(1_048_576, 'Largest request body in bytes'),
  HTTP_BODY_MEMORY_BYTES: integer(
    33_554_432,
    'Largest number of bytes for the bodies of all requests in progress; further bodies get 503',
  ),
  HTTP_CONNECTIONS_MAX: integer(2000, 'Largest number of open client connections; further ones are closed at once'),
  HTTP_REQUEST_TIMEOUT_MS: integer(30_000, 'Milliseconds within which a client must send its whole request'),
  HTTP_STALL_TIMEOUT_MS: integer(
    30_000,
    'Milliseconds after which a connection is closed whose client does not read its reply',
    100,
  ),
  HTTP_KEEP_ALIVE_TIMEOUT_MS: integer(
    72_000,
    'Milliseconds after which an idle connection is closed; must be longer than the idle timeout of the load balancer',
  ),
  HTTP_EVENT_LOOP_DELAY_LIMIT_MS: integer(1000, 'Delay of the event loop in milliseconds above which requests get 503'),
  HTTP_TRUSTED_PROXIES: Type.String({
    default: '',
    pattern: '^[0-9a-fA-F.:/,]*$',
    description: 'Addresses or networks of proxies whose X-Forwarded-For header is trusted; none by default',
    examples: ['10.0.0.0/8,127.0.0.1'],
  }),
  HTTP_DEADLINE_MS: integer(
    15_000,
    'Milliseconds within which a request is answered, or else gets 504, unless the caller sets a time',
  ),
  HTTP_DEADLINE_MAX_MS: integer(60_000, 'Largest number of milliseconds that a caller can set by X-Request-Timeout'),
});

/**
 * @param list addresses and networks, separated by commas: `127.0.0.1,10.0.0.0/8,fd00::/8`
 * @returns whether an address is in the list
 * @throws {TypeError} when an entry is neither an address nor a network
 */
export function networks(list: string): (address: string) => boolean {
  const matches = compile(list.split(',').filter((each) => each !== ''));
  return (address) => matches(address, 0);
}

const { HTTP_TRUSTED_PROXIES } = config.properties;

/** Combinations of settings that are not allowed, and values that no schema can describe. */
export const rules: readonly Rule[] = [
  atMost(config, 'HTTP_DEADLINE_MS', 'HTTP_DEADLINE_MAX_MS'),
  // Otherwise a body of the allowed size could never be accepted.
  atMost(config, 'HTTP_BODY_LIMIT_BYTES', 'HTTP_BODY_MEMORY_BYTES'),
  rule(Type.Object({ HTTP_TRUSTED_PROXIES }), ({ HTTP_TRUSTED_PROXIES: given }) => {
    if (isReadable(given)) return undefined;
    const expected = /\/0+(,|$)/.test(given)
      ? 'networks smaller than /0, with which any client could choose its address'
      : 'addresses and networks, separated by commas';
    return { variable: 'HTTP_TRUSTED_PROXIES', expected, given, example: '10.0.0.0/8,127.0.0.1' };
  }),
];

/** proxy-addr also reads `10.0.0` and `010.0.0.1`, as addresses that nobody means. */
function isReadable(list: string): boolean {
  try {
    networks(list);
  } catch {
    return false;
  }
  return list.split(',').every((entry) => entry === '' || isIP(entry.replace(/\/.*/, '')) > 0);
}

/** Settings for tests: a free port on this machine, and no 503 while other tests keep the machine busy. */
export const testSettings = { HOST: '127.0.0.1', PORT: '0', HTTP_EVENT_LOOP_DELAY_LIMIT_MS: '60000' };
