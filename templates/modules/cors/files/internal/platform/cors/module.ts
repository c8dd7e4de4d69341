import type { IncomingMessage } from 'node:http';
import type { Static } from 'typebox';
import { headerNames } from '../../../pkg/context/index.ts';
import { defineModule } from '../app/module.ts';
import { type Rule, rule } from '../config/config.ts';
import { http } from '../http/module.ts';
import { vary } from '../http/replies.ts';
import { config } from './config.ts';

/** Browsers do not send cookies when the allowed origin is `*`. */
const rules: readonly Rule[] = [
  rule(config, ({ CORS_ORIGINS: origins, CORS_CREDENTIALS: credentials }) =>
    credentials && (origins === undefined || origins === '*')
      ? {
          variable: 'CORS_ORIGINS',
          expected: 'origins by name, because CORS_CREDENTIALS is true',
          ...(origins && { given: origins }),
          example: 'https://example.com',
        }
      : undefined,
  ),
];

/** Lets pages of the configured origins call the API. */
export const cors = defineModule({
  name: 'cors',
  config,
  rules,
  requires: [http],
  start({ config: settings, use }) {
    const allow = allowing(settings);
    if (allow === undefined) return { value: undefined };
    const server = use(http);
    server.addHook('onSend', (request, reply, _payload, done) => {
      if (settings.CORS_ORIGINS !== '*') vary(reply, 'Origin');
      reply.headers(allow(request, reply.getHeaders()));
      done();
    });
    // A request that cannot be routed passes no hook.
    const { refuse } = server;
    server.refuse = (request, response, answer) => {
      response.setHeader('vary', 'Origin');
      for (const [name, value] of Object.entries(allow(request, { [headerNames.id]: '' })))
        response.setHeader(name, value);
      refuse(request, response, answer);
    };
    return { value: undefined };
  },
});

/** What is needed of a request, as Node or Fastify gives it. */
type Asking = Pick<IncomingMessage, 'method' | 'headers'>;

/**
 * Only adds headers to a reply that is ready, so that a preflight is answered by the rules of the API: with the methods of the path, or 404.
 * @fastify/cors answers it before the path is known.
 * @param settings origins, and whether they may send cookies
 * @returns gives the headers of the Fetch standard for a request and the headers of its reply; undefined without origins
 */
function allowing({ CORS_ORIGINS: list, CORS_CREDENTIALS: credentials }: Static<typeof config>) {
  if (list === undefined) return undefined;
  const origins = list === '*' ? undefined : new Set(list.split(/\s*,\s*/));
  return ({ method, headers }: Asking, given: Readonly<Record<string, unknown>>): Record<string, string> => {
    const { origin, 'access-control-request-method': wanted, 'access-control-request-headers': sent } = headers;
    if (origin === undefined || origins?.has(origin) === false) return {};
    const { allow } = given;
    const isPreflight = method === 'OPTIONS' && wanted !== undefined && typeof allow === 'string';
    return {
      'access-control-allow-origin': origins === undefined ? '*' : origin,
      ...(credentials && { 'access-control-allow-credentials': 'true' }),
      ...(!isPreflight && { 'access-control-expose-headers': Object.keys(given).join(', ') }),
      // The age is in seconds. Browsers use two hours at most.
      ...(isPreflight && { 'access-control-allow-methods': allow, 'access-control-max-age': '7200' }),
      ...(isPreflight && sent !== undefined && { 'access-control-allow-headers': sent }),
    };
  };
}
