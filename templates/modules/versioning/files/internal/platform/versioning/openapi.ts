import type { RouteOptions } from 'fastify';
import { describeRoute } from '../http/openapi.ts';
import type { ApiVersions, Version } from './apiVersions.ts';
import { SchemaUse } from './schemaUse.ts';
import type { Strategy } from './strategy.ts';

/** What the contract says of something that ends: until when it is sure to be there, `x-sunset` says as oasdiff reads it. */
interface Ending {
  readonly deprecated?: true;
  readonly 'x-sunset'?: string;
}

/**
 * For `onRoute`: the contract says which versions of a route there are, and which of them, and of their schemas, are deprecated.
 * @param strategy how callers name a version
 * @param versions of the API
 * @returns the hook
 */
export function describeVersions(strategy: Strategy, versions: ApiVersions): (route: RouteOptions) => void {
  const factsOf = (number: number): Version | undefined => versions.all.find((version) => version.number === number);
  const { parameter } = strategy;
  const use = new SchemaUse();
  return (route) => {
    const { version } = route.config ?? {};
    use.note(route.schema, version?.number);
    if (version?.number === undefined) return;
    const { number, mount, operation } = version;
    // With what other modules have made of it: HAL, say.
    operation.schemas.set(number, { ...route.schema });
    const { operationId, querystring } = route.schema ?? {};
    route.schema = {
      ...route.schema,
      ...(operationId !== undefined && { operationId: operationId + mount.suffix }),
      ...(parameter !== undefined && { querystring: withParameter(querystring, parameter, { type: 'string' }) }),
    };
    describeRoute(route, (schema, made) => {
      if ('openapiObject' in made) use.mark(made.openapiObject, (numbers) => endingOf(numbers.map(factsOf)));
      if (operation.joined === undefined) return { ...schema, ...endingOf([factsOf(number)]) };
      const numbers = [...operation.schemas.keys()];
      // It is said once.
      if (numbers[0] !== number) return { ...schema, hide: true };
      const facts = numbers.map(factsOf);
      const { body, response } = operation.joined;
      return {
        ...schema,
        ...endingOf(facts),
        ...(parameter !== undefined && {
          querystring: withParameter(schema.querystring, parameter, parameterOf(facts, versions)),
        }),
        ...(body !== undefined && { body }),
        response: { ...objectOf(schema.response), ...objectOf(response) },
      };
    });
  };
}

/** What is deprecated in all of its versions is deprecated; it ends with the last of them. */
function endingOf(versions: readonly (Version | undefined)[]): Ending {
  if (versions.some((version) => version?.deprecated === undefined)) return {};
  const ends = versions.flatMap((version) => version?.sunset ?? []).toSorted();
  const last = ends.length === versions.length ? ends.at(-1) : undefined;
  return { deprecated: true, ...(last !== undefined && { 'x-sunset': last }) };
}

function parameterOf(facts: readonly (Version | undefined)[], { default: byDefault }: ApiVersions): object {
  const named = facts.flatMap((version) =>
    version === undefined ? [] : [{ const: String(version.number), ...endingOf([version]) }],
  );
  const hasDefault = facts.some((version) => version?.number === byDefault);
  return {
    description: 'Version of the API',
    anyOf: named,
    ...(hasDefault && { default: String(byDefault) }),
  };
}

/** A schema that stands elsewhere says itself what it lets through. */
function withParameter(querystring: unknown, name: string, schema: object): object {
  const { $ref, properties, ...rest } = objectOf(querystring);
  if ($ref !== undefined) return { $ref };
  return { type: 'object', ...rest, properties: { ...objectOf(properties), [name]: schema } };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
