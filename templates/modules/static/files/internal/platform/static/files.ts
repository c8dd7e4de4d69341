import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { Static } from 'typebox';
import { ServiceError } from '../../../pkg/errors/index.ts';
import type { Http } from '../http/server.ts';
import type { config } from './config.ts';

/** Pages may use what is served beside them, and nothing else. */
const policy = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** `app.3f2a9c1b.css`: eight hexadecimal digits and more, letters among them; a date is no hash. */
const hashed = /[.-](?=\d*[a-f])(?=[a-f]*\d)[\da-f]{8,}\.\w+(?:\.map)?$/;

/** A year, the most that caches heed. */
const forever = 'public, max-age=31536000, immutable';

/**
 * Serves a folder, to anybody: in ranges, with ETags, and compressed where a file lies there as `.br` or `.gz` too. Paths that lead out of
 * it, dotfiles, and folders are not found.
 * @param http the API's server
 * @param root absolute path of the folder
 * @param settings where, and how long caches may keep what has no hash in its name
 */
export async function serveFiles(http: Http, root: string, settings: Static<typeof config>): Promise<void> {
  const briefly = `public, max-age=${settings.STATIC_MAX_AGE_SECONDS}`;
  await http.register(
    async (scope) => {
      // Where tokens are asked for, these routes need none.
      scope.addHook('onRoute', (route) => {
        route.config = Object.assign({}, route.config, { auth: 'public' } as const);
      });
      scope.setNotFoundHandler(() => {
        throw notFound();
      });
      scope.setErrorHandler((error, _request, reply) => {
        const range = rangeOf(error);
        if (range !== undefined) reply.header('content-range', range);
        throw told(error);
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

function notFound(): ServiceError {
  return new ServiceError({ code: 'file_not_found', status: 404, publicMessage: 'There is no such file.' });
}

/** What is refused is not found either: nobody need know what else there is. */
function told(error: unknown): unknown {
  const status = statusOf(error);
  if (status === 416) {
    return new ServiceError({
      code: 'range_not_satisfiable',
      status: 416,
      publicMessage: 'The file has no such part.',
      cause: error,
    });
  }
  // RFC 9110, 13.1.1 and 13.1.4: the file is there, and has changed.
  if (status === 412) {
    return new ServiceError({
      code: 'precondition_failed',
      status: 412,
      publicMessage: 'The file is not as If-Match or If-Unmodified-Since say.',
      cause: error,
    });
  }
  return status >= 400 && status < 500 ? notFound() : error;
}

/** How large a file is that has no such part (RFC 9110, 15.5.17). */
function rangeOf(error: unknown): unknown {
  if (!(error instanceof Error) || !('headers' in error)) return undefined;
  const { headers } = error;
  return typeof headers === 'object' && headers !== null && 'Content-Range' in headers
    ? headers['Content-Range']
    : undefined;
}

/** As Fastify's errors have it, or those of the library that sends files. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  if ('statusCode' in error) return Number(error.statusCode);
  return 'status' in error ? Number(error.status) : 500;
}
