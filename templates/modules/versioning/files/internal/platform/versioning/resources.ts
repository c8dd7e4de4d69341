import type { preHandlerHookHandler, preSerializationHookHandler, RouteOptions } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { shownOf } from '../entities/shown.ts';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { ApiVersions, Named, Representation } from './apiVersions.ts';
import type { versions } from './versions.ts';

type ServedOf<Versions> = Versions extends ApiVersions<infer Numbers> ? Numbers : never;

/** The schemas that the routes of a resource name. */
interface Schemas<Reply, Body, Changes> {
  readonly reply: Reply;
  readonly body: Body;
  /** Missing for a resource that has no PATCH. */
  readonly changes?: Changes;
}

/** A resource, and how versions of the API read and show it. */
export interface ResourceVersions {
  /** As in `config.resource` of its routes. */
  readonly resource: string;
  readonly of: Schemas<Named, Named, Named>;
  /** By version: null for a version without the resource, undefined for the resource as it is. */
  readonly shapes: Readonly<Record<number, Representation<unknown, unknown, unknown> | null | undefined>>;
}

/**
 * Declares how versions of the API read and show a resource.
 * @param resource as in `config.resource` of its routes
 * @param of the schemas of its routes
 * @param shapes by version. A version that is not listed has the resource as it is; null: it has no such resource
 * @returns the declaration
 */
export function resourceVersions<Reply extends Named, Body extends Named, Changes extends Named>(
  resource: string,
  of: Schemas<Reply, Body, Changes>,
  shapes: Partial<
    Record<ServedOf<typeof versions>, Representation<Static<Reply>, Static<Body>, Static<Changes>> | null>
  >,
): ResourceVersions {
  return { resource, of, shapes };
}

/**
 * @param http the API's server, which gets the schemas of the version
 * @param route of a resource, as it was registered
 * @param resource to which it belongs
 * @param number of the version
 * @returns the route in that version: with its schemas, and with mappings from and to those of the resource
 */
export function inVersion<Route extends RouteOptions>(
  http: Http,
  route: Route,
  { of, shapes }: ResourceVersions,
  number: number,
): Route {
  const shape = shapes[number];
  if (!shape) return route;
  const refTo = (schema: Named): TSchema => {
    if (http.getSchema(String(schema.$id)) === undefined) http.addSchema(schema);
    return ref(schema);
  };
  const schema = { ...route.schema };
  const before: preHandlerHookHandler[] = [];
  const after: preSerializationHookHandler[] = [];

  const reads = [
    { in: of.body, as: shape.body, from: (body: unknown) => shape.fromBody(body) },
    { in: of.changes, as: shape.changes, from: (body: unknown) => shape.fromChanges?.(body) },
  ];
  const read = reads.find((each) => each.in !== undefined && refersTo(schema.body, each.in.$id));
  if (read?.as !== undefined) {
    schema.body = refTo(read.as);
    before.push((request, _reply, done) => {
      request.body = read.from(request.body);
      done();
    });
  }

  const show = (entity: unknown): unknown => {
    const shown = shape.toReply(entity);
    return isObject(entity) && isObject(shown) ? shownOf(shown, entity) : shown;
  };
  const showAll = (page: unknown): unknown => {
    const { items } = membersOf(page);
    return { ...membersOf(page), items: Array.isArray(items) ? items.map(show) : items };
  };
  const replies = Object.entries(membersOf(schema.response)).map(([status, reply]): [string, unknown] => {
    if (refersTo(reply, of.reply.$id)) {
      after.push(mapping(show));
      return [status, refTo(shape.reply)];
    }
    const name = String(membersOf(reply)['$ref']).slice(0, -1);
    const { examples: _, ...list } = membersOf(http.getSchema(name));
    const properties = membersOf(list['properties']);
    const entry = membersOf(properties['items'])['items'];
    if (!refersTo(entry, of.reply.$id) && !refersTo(entry, `${of.reply.$id}Entry`)) return [status, reply];
    after.push(mapping(showAll));
    const items = Type.Array(refTo(shape.reply));
    const ofVersion = { ...list, properties: { ...properties, items } };
    return [status, refTo({ ...ofVersion, $id: `${name}V${number}` })];
  });
  if (schema.response !== undefined) schema.response = Object.fromEntries(replies);

  // The fields that a caller can ask for are those of the resource as it is.
  const { fields, ...others } = membersOf(membersOf(schema.querystring)['properties']);
  if (fields !== undefined) {
    schema.querystring = { ...membersOf(schema.querystring), properties: others };
    before.push(({ query }, _reply, done) => {
      Reflect.deleteProperty(Object(query), 'fields');
      done();
    });
  }
  return {
    ...route,
    schema,
    // The hooks of the route see what its handler sees.
    preHandler: [...before, ...[route.preHandler ?? []].flat()],
    preSerialization: [...[route.preSerialization ?? []].flat(), ...after],
  };
}

/** A hook that changes successful replies. */
function mapping(show: (payload: unknown) => unknown): preSerializationHookHandler {
  return (_request, reply, payload, done) => done(null, reply.statusCode < 300 ? show(payload) : payload);
}

/** @returns whether a schema is a reference, as `ref` makes it */
function refersTo(schema: unknown, id: string | undefined): boolean {
  return membersOf(schema)['$ref'] === `${id}#`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? { ...value } : {};
}
