import { Counter, type Registry } from '@prometheus-io/client';
import type { preSerializationHookHandler } from 'fastify';
import Negotiator from 'negotiator';
import { type Static, Type } from 'typebox';
import { current } from '../../../pkg/context/index.ts';
import { notFound } from '../../../pkg/errors/index.ts';
import { problems, ref } from '../http/problems.ts';
import { vary } from '../http/replies.ts';
import type { Http } from '../http/server.ts';
import { principalKey } from '../http/requestContext.ts';
import type { Identity } from '../identity/module.ts';
import type { Declaration } from './linksOf.ts';
import { Operations, pathOf } from './operations.ts';
import { own, represent } from './representation.ts';
import { HalSchemas, LinkView, hal } from './schema.ts';

/** Maximum length of an Accept header that is negotiated, in characters: each range costs microseconds. */
const maxAccept = 1000;

const RelationView = Type.Object(
  {
    relation: Type.String(),
    description: Type.String({ description: 'What it means' }),
    operations: Type.Array(Type.Object({ operationId: Type.String(), method: Type.String(), path: Type.String() }), {
      description: 'To which of the operations in /openapi.json it leads',
    }),
  },
  {
    $id: 'HalRelation',
    description: 'A relation of links, one that this API has defined',
    examples: [
      {
        relation: 'create',
        description: 'Create an item',
        operations: [{ operationId: 'createItem', method: 'POST', path: '/items' }],
      },
    ],
  },
);

/** The links of an API. */
export interface HalOptions {
  readonly links: readonly Declaration[];
  /** Meanings of the API's own relations. A relation that is not here means what its operations do. */
  readonly relations: Readonly<Record<string, string>>;
  /** Decides which operations a caller may call. */
  readonly identity: Identity;
  readonly metrics: ReturnType<typeof createMetrics>;
}

/**
 * @param registry that exposes the metric
 * @returns the number of links that were left out
 */
export function createMetrics(registry: Registry) {
  const unaddressable = new Counter({
    name: 'hal_links_unaddressable_total',
    help: 'Links left out because a value cannot be in their path, by target operation',
    labelNames: ['operation'],
    registers: [registry],
  });
  return { unaddressable: (operation: string): void => unaddressable.inc({ operation }) };
}

/**
 * Answers in HAL when the client prefers it. Each operation is found by its `operationId` when its route is registered; handlers do not
 * change, and other routes are not touched.
 * @param http the API's server, before its routes are registered
 * @param options resources, collections and relations
 */
export function speakHal(http: Http, { links, relations, identity, metrics }: HalOptions): void {
  const operations = new Operations();
  const schemas = new HalSchemas(http);
  const declared = new Map(links.flatMap((each) => each.operations.map((id) => [id, each] as const)));
  http.addSchema(LinkView);

  http.addHook('onRoute', (route) => {
    const id = route.schema?.operationId;
    if (id === undefined) return;
    // Fastify adds HEAD to each GET.
    if (route.method !== 'HEAD') operations.add(id, route);
    const declaration = declared.get(id);
    if (declaration === undefined) return;
    const path = pathOf(route.url);
    const statuses = schemas.offer(route, declaration);
    const answer: preSerializationHookHandler = (request, reply, payload, done) => {
      const isJson = /^application\/json\b/.test(String(reply.getHeader('content-type')));
      const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
      if (!isJson || !isObject || !statuses.has(reply.statusCode)) return done(null, payload);
      vary(reply, 'Accept');
      if (!prefersHal(request.headers.accept)) return done(null, payload);
      reply.type(hal);
      const principal = current().get(principalKey);
      const permitted = new Map<string, boolean>();
      const permits = (target: string): boolean => {
        const found = permitted.get(target) ?? identity.permits(principal, operations.get(target, route).route);
        permitted.set(target, found);
        return found;
      };
      const view = { request, route, path, operations, permits, unaddressable: metrics.unaddressable };
      done(null, represent(declaration, { ...payload }, view));
    };
    route.preSerialization = [...[route.preSerialization ?? []].flat(), answer];
  });

  http.addSchema(RelationView);
  http.get(
    '/relations/:relation',
    {
      schema: {
        operationId: 'getRelation',
        summary: 'Get what a relation of links means',
        tags: ['relations'],
        params: Type.Object({ relation: Type.String({ maxLength: 100 }) }),
        response: { 200: ref(RelationView), ...problems },
      },
    },
    ({ params: { relation } }): Static<typeof RelationView> => {
      const targets = new Set(links.flatMap((each) => each.links[own + relation]?.to ?? []));
      const found = [...targets].filter((id) => operations.has(id)).map((id) => [id, operations.get(id)] as const);
      const meanings = Object.hasOwn(relations, relation)
        ? [relations[relation]]
        : found.map(([id, { route }]) => route.schema?.summary ?? id);
      if (meanings.length === 0) throw notFound('relation', relation);
      return {
        relation,
        description: meanings.join('; '),
        operations: found.map(([operationId, { method, path }]) => ({ operationId, method, path: path.template })),
      };
    },
  );

  http.addHook('onReady', (done) => {
    // The links of a resource that no route serves are not checked.
    const served = links.filter((each) => each.operations.some((id) => operations.has(id)));
    for (const { to } of served.flatMap((each) => Object.values(each.links))) operations.get(to);
    done();
  });
}

/**
 * @param accept header of a request (RFC 9110, 12.5.1)
 * @returns whether it names HAL and does not prefer JSON; a wildcard means JSON
 */
export function prefersHal(accept: string | undefined): boolean {
  if (accept === undefined || accept.length > maxAccept || !/application\/hal\+json/i.test(accept)) return false;
  return new Negotiator({ headers: { accept } }).mediaType(['application/json', hal]) === hal;
}
