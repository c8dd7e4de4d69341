import { type Static, Type } from 'typebox';
import { notFound } from '../../../pkg/errors/index.ts';
import { problems, ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { Declaration } from './declaration.ts';
import type { Operations } from './operations.ts';
import { own } from './representation.ts';

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
        description: 'POST here makes a new one',
        operations: [{ operationId: 'createItem', method: 'POST', path: '/items' }],
      },
    ],
  },
);

/** Where what they say comes from. */
export interface Relations {
  readonly relations: Readonly<Record<string, string>>;
  readonly links: readonly Declaration[];
  readonly operations: Operations;
}

/**
 * Where curies lead: what a relation means, for the developer who meets one.
 * @param http the API's server
 * @param source relations, and the links that have them
 */
export function relationRoutes(http: Http, { relations, links, operations }: Relations): void {
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
      const description = Object.hasOwn(relations, relation) ? relations[relation] : undefined;
      if (description === undefined) throw notFound('relation', relation);
      const targets = new Set(links.flatMap((each) => each.links[own + relation]?.to ?? []));
      return { relation, description, operations: [...targets].filter((id) => operations.has(id)).map(viewOf) };
    },
  );

  function viewOf(operationId: string) {
    const { method, path } = operations.get(operationId);
    return { operationId, method, path: path.template };
  }
}
