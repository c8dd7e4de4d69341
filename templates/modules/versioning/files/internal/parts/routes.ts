import { randomUUID } from 'node:crypto';
import { Type } from 'typebox';
import { notFound } from '../../pkg/errors/index.ts';
import { problems, ref } from '../platform/http/problems.ts';
import type { Http } from '../platform/http/server.ts';
import type { VersionedRoutes } from '../platform/versioning/routes.ts';
import { type Part, v1, v2 } from './versions.ts';

/** A version that is served and missing here does not compile. */
const representations = { 1: v1, 2: v2 };

/**
 * One set of routes for one domain. Versions differ in how they read and show it.
 * @param http the API's server
 * @param versioned registers routes by version
 * @param parts all parts by id
 */
export function partRoutes(
  http: Http,
  versioned: VersionedRoutes<keyof typeof representations>,
  parts: Map<string, Part>,
): void {
  versioned.each(representations, ({ route, href }, shape) => {
    http.addSchema(shape.body);
    http.addSchema(shape.reply);

    route({
      method: 'POST',
      url: '/parts',
      schema: {
        operationId: 'createPart',
        summary: 'Create a part',
        tags: ['parts'],
        body: ref(shape.body),
        response: { 201: ref(shape.reply), ...problems },
      },
      handler: (request, reply) => {
        const part = { id: randomUUID(), ...shape.fromBody(request.body) };
        parts.set(part.id, part);
        return reply
          .code(201)
          .header('location', href(request, `/parts/${part.id}`))
          .send(shape.toReply(part));
      },
    });

    route({
      method: 'GET',
      url: '/parts/:id',
      schema: {
        operationId: 'getPart',
        summary: 'Get a part',
        tags: ['parts'],
        params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
        response: { 200: ref(shape.reply), ...problems },
      },
      handler: ({ params: { id } }) => {
        const part = parts.get(id);
        if (part === undefined) throw notFound('part', id);
        return shape.toReply(part);
      },
    });
  });
}
