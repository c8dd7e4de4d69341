/** How callers name a version: `/v2/parts`, `Accept: application/vnd.<service>.v2+json`, or `/parts?version=2`. */
export type StrategyName = 'path' | 'media-type' | 'query';

/** What is said of one version. A day is `YYYY-MM-DD`, and means its first moment in UTC. */
export interface VersionFacts {
  /** The day from which on callers should move on; it may lie ahead (RFC 9745). */
  readonly deprecated?: string;
  /** The day from which on it may be gone (RFC 8594). Nothing ends by itself: who retires a version says so. */
  readonly sunset?: string;
  /** URL of a page that tells callers how to move on. */
  readonly info?: string;
  /** It is served no longer: 410. */
  readonly retired?: true;
}

/** A version as it was declared. */
export interface Version extends VersionFacts {
  readonly number: number;
}

/** The versions of an API. `Served` are the numbers of those that are not retired. */
export interface ApiVersions<Served extends number = number> {
  readonly strategy: StrategyName;
  /** For whoever names none. Once it is retired, callers have to name one. */
  readonly default: number;
  /** All that there were, the oldest first. */
  readonly all: readonly Version[];
  readonly served: readonly Served[];
}

/** Something of each version that is served; null where a version does not have it. */
export type EachVersion<Served extends number, Value> = Readonly<Record<Served, Value | null>>;

type Facts = Readonly<Record<number, VersionFacts>>;
type ServedOf<All extends Facts> = keyof {
  [Number in keyof All as All[Number] extends { readonly retired: true } ? never : Number]: unknown;
} &
  number;

const day = /^\d{4}-\d{2}-\d{2}$/;

/**
 * @param declared strategy, default and versions by number
 * @returns the versions of the API
 * @throws {TypeError} on what cannot be: no version that is served, a default there is not, a day that is none, a sunset without
 * a deprecation or before it (RFC 9745, 5)
 */
export function defineVersions<const All extends Facts>(declared: {
  readonly strategy: StrategyName;
  readonly default: keyof All & number;
  readonly versions: All;
}): ApiVersions<ServedOf<All>> {
  const { strategy, default: byDefault, versions } = declared;
  const numbers = Object.keys(versions)
    .map(Number)
    .toSorted((a, b) => a - b);
  const isServed = (number: number): number is ServedOf<All> => versions[number]?.retired !== true;
  const served = numbers.filter(isServed);
  if (served.length === 0) throw new TypeError('no version of the API is served');
  if (!numbers.includes(byDefault)) throw new TypeError(`the default is version ${byDefault}, which there is not`);
  const all = numbers.map((number): Version => {
    const facts = versions[number] ?? {};
    check(number, facts);
    return { ...facts, number };
  });
  return { strategy, default: byDefault, all, served };
}

/**
 * @param date a day of a version
 * @returns its first moment in UTC
 */
export function momentOf(date: string): Date {
  return new Date(`${date}T00:00:00Z`);
}

function check(number: number, { deprecated, sunset, info }: VersionFacts): void {
  const wrong = (what: string): TypeError => new TypeError(`version ${number} of the API: ${what}`);
  if (!Number.isSafeInteger(number) || number < 1) throw wrong('a version is a number, 1 or more');
  for (const date of [deprecated, sunset]) {
    if (date !== undefined && !isDay(date)) throw wrong(`"${date}" is no day such as 2027-06-30`);
  }
  if (sunset !== undefined && (deprecated === undefined || sunset < deprecated)) {
    throw wrong('it is deprecated first, then comes its sunset');
  }
  if (info !== undefined && !/^https?:/.test(URL.parse(info)?.protocol ?? '')) throw wrong(`"${info}" is no URL`);
}

function isDay(date: string): boolean {
  return day.test(date) && !Number.isNaN(momentOf(date).getTime()) && momentOf(date).toISOString().startsWith(date);
}
