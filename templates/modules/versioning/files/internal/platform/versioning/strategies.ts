import type { ApiVersions } from './apiVersions.ts';
import { InMediaType } from './inMediaType.ts';
import { InPath } from './inPath.ts';
import { InQuery } from './inQuery.ts';
import { MediaTypes } from './mediaTypes.ts';
import type { Strategy } from './strategy.ts';

const strategies = { path: InPath, 'media-type': InMediaType, query: InQuery };

/**
 * @param versions of the API
 * @returns the way in which callers name one
 */
export function strategyOf(versions: ApiVersions): Strategy {
  return new strategies[versions.strategy](versions, new MediaTypes(versions));
}
