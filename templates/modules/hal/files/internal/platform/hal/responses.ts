import type { RouteOptions } from 'fastify';
import type { Http } from '../http/server.ts';
import type { Declaration } from './declaration.ts';
import { hal, json } from './mediaType.ts';
import { type HalSchemas, isObject, nameIn } from './schema.ts';

/**
 * Gives the replies of a route a second media type, in what it is serialised by and in the contract.
 * @param http the API's server
 * @param schemas of representations
 * @param route as it is registered
 * @param declaration of what it answers with
 * @returns whether a reply with a status may be HAL
 * @throws {TypeError} when the route names no schema of what it answers with
 */
export function offerHal(
  http: Http,
  schemas: HalSchemas,
  route: RouteOptions,
  declaration: Declaration,
): (status: number) => boolean {
  const responses = isObject(route.schema?.response) ? Object.entries(route.schema.response) : [];
  const offered = responses.flatMap(([status, response]) => {
    const plain = /^2\d\d$/.test(status) ? plainIn(response) : undefined;
    const name = nameIn(plain);
    if (name === undefined) return [];
    const content = {
      ...contentOf(response),
      [json]: { schema: plain },
      [hal]: { schema: schemas.of(name, declaration) },
    };
    return [[status, { ...describing(http, name, response), content }] as const];
  });
  if (offered.length === 0)
    throw new TypeError(`${String(route.method)} ${route.url} has links, but no reply whose schema has a name`);
  route.schema = { ...route.schema, response: Object.fromEntries([...responses, ...offered]) };
  const statuses = new Set(offered.map(([status]) => Number(status)));
  return (status) => statuses.has(status);
}

/** The schema of a reply in JSON, whether the route says that there are several media types or not. */
function plainIn(response: unknown): unknown {
  const content = contentOf(response)[json];
  return isObject(content) ? content['schema'] : response;
}

function contentOf(response: unknown): Readonly<Record<string, unknown>> {
  return isObject(response) && isObject(response['content']) ? response['content'] : {};
}

/** What the document says of a reply: without words of its own, those of its schema. */
function describing(http: Http, name: string, response: unknown): object {
  if (isObject(response) && 'content' in response) return response;
  const schema = http.getSchema(name);
  return isObject(schema) && 'description' in schema ? { description: schema['description'] } : {};
}
