import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { Static } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Http } from '../http/server.ts';
import type { config } from './config.ts';

/** Pages may load what is served from the same origin, and nothing else. */
const policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** `app.3f2a9c1b.css`: eight or more hexadecimal digits, with letters among them, since a date is no hash. */
const hashed = /[.-](?=\d*[a-f])(?=[a-f]*\d)[\da-f]{8,}\.\w+(?:\.map)?$/;

/** A year, the maximum that caches respect. */
const forever = 'public, max-age=31536000, immutable';

/** Replies for the statuses of @fastify/static. Refused paths are not found either: the reply does not reveal what exists. */
const problems: Readonly<Record<number, readonly [code: string, publicMessage: string]>> = {
  404: ['file_not_found', 'There is no such file.'],
  412: ['precondition_failed', 'The file is not as If-Match or If-Unmodified-Since require.'],
  416: ['range_not_satisfiable', 'The file has no such part.'],
};

/**
 * Serves a folder without authentication: with ranges and ETags, and compressed when a file also exists as `.br` or `.gz`. Paths that
 * lead out of the folder, dotfiles and folders are not found.
 * @param http the API's server
 * @param root absolute path of the folder
 * @param settings URL prefix, and cache time of files without a hash in their name
 */
export async function serveFiles(http: Http, root: string, settings: Static<typeof config>): Promise<void> {
  const briefly = `public, max-age=${settings.STATIC_MAX_AGE_SECONDS}`;
  await http.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.config = Object.assign({}, route.config, { auth: 'public' } as const);
      });
      scope.setNotFoundHandler(() => {
        throw problemFor(404);
      });
      scope.setErrorHandler((error, _request, reply) => {
        const member = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : undefined);
        const headers = member('headers');
        // The size of a file without the requested part (RFC 9110, 15.5.17).
        if (typeof headers === 'object' && headers !== null && 'Content-Range' in headers)
          reply.header('content-range', headers['Content-Range']);
        const code = Number(member('statusCode') ?? member('status') ?? 500);
        throw code >= 400 && code < 500 ? problemFor(code, error) : error;
      });
      await scope.register(fastifyStatic, {
        root,
        decorateReply: false,
        dotfiles: 'ignore',
        index: false,
        preCompressed: true,
        cacheControl: false,
        setHeaders(reply, file) {
          const name = path.basename(file).replace(/\.(?:br|gz)$/, '');
          reply
            .header('cache-control', hashed.test(name) ? forever : briefly)
            .header('content-security-policy', policy);
        },
      });
    },
    { prefix: settings.STATIC_PREFIX },
  );
}

function problemFor(status: number, cause?: unknown): ServiceError {
  const known = status in problems ? status : 404;
  const [code = '', publicMessage = ''] = problems[known] ?? [];
  return new ServiceError({ code, status: known, publicMessage, cause });
}
