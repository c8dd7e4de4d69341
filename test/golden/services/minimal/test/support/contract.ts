/** What a module may say of all operations alike: whether it is written down is decided by who runs `npm run openapi`. */
const common: readonly RegExp[] = [
  /^\/security$/,
  /^\/components\/securitySchemes$/,
  /^\/paths\/[^/]+\/[^/]+\/responses\/40[13]$/,
];

/**
 * @param document an OpenAPI document
 * @returns what its routes say of themselves
 */
export function ofRoutes(document: unknown): unknown {
  return without(document, '');
}

function without(value: unknown, pointer: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, string, unknown] => [
    key,
    `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    item,
  ]);
  return Object.fromEntries(
    entries
      .filter(([, place]) => !common.some((pattern) => pattern.test(place)))
      .map(([key, place, item]) => [key, without(item, place)]),
  );
}
