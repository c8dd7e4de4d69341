import { isObject, membersOf } from './json.ts';

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/**
 * Leaves out of a contract what its callers were told to be gone by now: operations, schemas and values with an `x-sunset` that has
 * passed (https://www.oasdiff.com/docs/deprecation), bodies of such schemas, and paths without any other operation.
 * @param document OpenAPI
 * @param today as `YYYY-MM-DD`
 * @returns what callers may still rely on
 */
export function withoutEnded(document: unknown, today: string): unknown {
  if (!isObject(document)) return document;
  const { components, paths } = document;
  const schemas = isObject(components) ? membersOf(components['schemas']) : [];
  const ended = new Set(
    schemas.filter(([, schema]) => hasPassed(schema, today)).map(([name]) => `#/components/schemas/${name}`),
  );
  const isOver = (part: unknown): boolean =>
    isObject(part) &&
    (hasPassed(part, today) || (typeof part['$ref'] === 'string' && ended.has(part['$ref'])) || isOver(part['schema']));
  const rest = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.filter((each) => !isOver(each)).map(rest);
    if (!isObject(part)) return part;
    const members = membersOf(part).filter(([, member]) => !isOver(member));
    return Object.fromEntries(members.map(([name, member]) => [name, rest(member)]));
  };
  const left = membersOf(paths).flatMap(([path, item]): [string, unknown][] => {
    const remains = rest(item);
    return hasOperations(item) && !hasOperations(remains) ? [] : [[path, remains]];
  });
  const others = membersOf(document).map(([name, part]): [string, unknown] => [name, rest(part)]);
  return { ...Object.fromEntries(others), paths: Object.fromEntries(left) };
}

function hasPassed(part: unknown, today: string): boolean {
  if (!isObject(part)) return false;
  const { 'x-sunset': sunset } = part;
  return typeof sunset === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(sunset) && sunset <= today;
}

function hasOperations(item: unknown): boolean {
  return membersOf(item).some(([name]) => methods.has(name));
}
