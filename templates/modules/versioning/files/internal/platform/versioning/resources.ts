import type { preHandlerHookHandler, preSerializationHookHandler, RouteOptions } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import { shownOf } from '../entities/shown.ts';
import { ref } from '../http/problems.ts';
import type { Http } from '../http/server.ts';
import type { EachVersion, Named, Representation } from './apiVersions.ts';
import type { versions } from './versions.ts';

/** A resource, and how versions of the API read and show it. */
export interface ResourceVersions {
  readonly resource: string;
  /** The schemas that its routes name. Without PATCH there are no changes. */
  readonly of: { readonly reply: Named; readonly body: Named; readonly changes?: Named };
  /** By version: null for a version without the resource, undefined for the resource as it is. */
  readonly shapes: Readonly<Record<number, Representation<unknown, unknown> | null | undefined>>;
}

/**
 * Declares how versions of the API read and show a resource. It returns its argument; the types ensure that each shape fits the resource.
 * @param declared the resource, the schemas of its routes, and its shapes by version. A version that is not listed has the resource as it
 * is; null: it has no such resource
 * @returns the same
 */
export function resourceVersions<Reply extends Named, Body extends Named, Changes extends Named>(declared: {
  readonly resource: string;
  readonly of: { readonly reply: Reply; readonly body: Body; readonly changes?: Changes };
  readonly shapes: Partial<
    EachVersion<(typeof versions.served)[number], Representation<Static<Reply>, Static<Body>, Static<Changes>>>
  >;
}): ResourceVersions {
  return declared;
}

/**
 * @param http the API's server, which gets the schemas of the version
 * @param route of a resource, as it was registered
 * @param resource to which it belongs
 * @param number of the version
 * @returns the route in that version: with its schemas, and with mappings from and to those of the resource
 */
export function inVersion(
  http: Http,
  route: RouteOptions,
  { of, shapes }: ResourceVersions,
  number: number,
): RouteOptions {
  const shape = shapes[number];
  if (!shape) return route;
  const schema = { ...route.schema };
  const before: preHandlerHookHandler[] = [];
  const after: preSerializationHookHandler[] = [];
  const refTo = (named: Named): TSchema => {
    if (http.getSchema(String(named.$id)) === undefined) http.addSchema(named);
    return ref(named);
  };
  const read = (named: Named | undefined, from: (body: unknown) => unknown): void => {
    if (named !== undefined) schema.body = refTo(named);
    before.push((request, _reply, done) => {
      request.body = from(request.body);
      done();
    });
  };
  if (refersTo(schema.body, of.body.$id)) read(shape.body, (body) => shape.fromBody(body));
  else if (refersTo(schema.body, of.changes?.$id)) read(shape.changes, (body) => shape.fromChanges?.(body));

  const show = (entity: unknown): unknown => {
    const shown = shape.toReply(entity);
    return isObject(entity) && isObject(shown) ? shownOf(shown, entity) : shown;
  };
  const showPage = (page: unknown): unknown => {
    const { items, ...rest } = membersOf(page);
    return { ...rest, items: Array.isArray(items) ? items.map(show) : items };
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
    const isSparse = refersTo(entry, `${of.reply.$id}Entry`);
    if (!isSparse && !refersTo(entry, of.reply.$id)) return [status, reply];
    const names = Object.entries(shape.listed ?? {});
    const querystring = membersOf(schema.querystring);
    const ofVersion = new Map(names.map(([theirs, ours]) => [ours, theirs]));
    schema.querystring = { ...querystring, properties: listedAs(ofVersion, querystring['properties']) };
    const ofResource = new Map(names);
    before.push((request, _reply, done) => {
      request.query = listedAs(ofResource, request.query);
      done();
    });
    after.push(mapping(showPage));
    const shown = { ...list, properties: { ...properties, items: Type.Array(refTo(shape.reply)) } };
    return [status, refTo({ ...shown, $id: `${name}V${number}` })];
  });
  return {
    ...route,
    schema: { ...schema, ...(schema.response !== undefined && { response: Object.fromEntries(replies) }) },
    // The hooks of the route see what its handler sees.
    preHandler: [...before, ...[route.preHandler ?? []].flat()],
    preSerialization: [...[route.preSerialization ?? []].flat(), ...after],
  };
}

/**
 * @param names from → to
 * @param parameters of a list, or their schemas
 * @returns them with other names of filters and in `sort`. `fields` is left out: it names fields of the resource as it is
 */
function listedAs(names: ReadonlyMap<string, string>, parameters: unknown): Record<string, unknown> {
  const nameOf = (name: string): string => names.get(name) ?? name;
  const sortOf = (sort: unknown): unknown => {
    if (typeof sort === 'string') return sort.replace(/[^-].*/, nameOf);
    const { enum: values } = membersOf(sort);
    return Array.isArray(values) ? { ...membersOf(sort), enum: values.map(sortOf) } : sort;
  };
  const found = Object.entries(membersOf(parameters)).filter(([name]) => name !== 'fields');
  return Object.fromEntries(
    found.map(([name, value]) => (name === 'sort' ? [name, sortOf(value)] : [nameOf(name), value])),
  );
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
