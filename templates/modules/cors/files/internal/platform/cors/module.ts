import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
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
    if (allow !== undefined)
      use(http).addHook('onSend', (request, reply, _payload, done) => {
        allow(request, reply);
        done();
      });
    return { value: undefined };
  },
});

/**
 * Only adds headers to a reply that is ready, so that a preflight is answered by the rules of the API: with the methods of the path, or 404.
 * @fastify/cors answers it before the path is known.
 * @param settings origins, and whether they may send cookies
 * @returns adds the headers of the Fetch standard; undefined without origins
 */
function allowing({ CORS_ORIGINS: list, CORS_CREDENTIALS: credentials }: Static<typeof config>) {
  if (list === undefined) return undefined;
  const origins = list === '*' ? undefined : new Set(list.split(/\s*,\s*/));
  return ({ method, headers }: FastifyRequest, reply: FastifyReply): void => {
    const { origin, 'access-control-request-method': wanted, 'access-control-request-headers': sent } = headers;
    if (origins !== undefined) vary(reply, 'Origin');
    if (origin === undefined || origins?.has(origin) === false) return;
    if (method === 'OPTIONS' && wanted !== undefined && reply.statusCode === 204) {
      reply
        .header('access-control-allow-methods', reply.getHeader('allow'))
        // Seconds. Browsers use two hours at most.
        .header('access-control-max-age', 7200);
      if (sent !== undefined) reply.header('access-control-allow-headers', sent);
    } else {
      reply.header('access-control-expose-headers', Object.keys(reply.getHeaders()).join(', '));
    }
    reply.header('access-control-allow-origin', origins === undefined ? '*' : origin);
    if (credentials) reply.header('access-control-allow-credentials', 'true');
  };
}
