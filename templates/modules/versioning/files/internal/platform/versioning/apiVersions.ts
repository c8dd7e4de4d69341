import type { Static, TSchema } from 'typebox';

/** Facts about one version. A day is `YYYY-MM-DD` and means its first moment in UTC. */
export interface VersionFacts {
  /** The day from which callers should move on; it may be in the future (RFC 9745). */
  readonly deprecated?: string;
  /** The day from which it may be gone (RFC 8594). No version ends automatically: set `retired`. */
  readonly sunset?: string;
  /** URL of a page that describes how to move on. */
  readonly info?: string;
  /** The version is no longer served: 410. */
  readonly retired?: true;
}

/** A version as it was declared. */
export interface Version extends VersionFacts {
  readonly number: number;
}

/** The versions of an API. `Served` are the numbers of those that are not retired. */
export interface ApiVersions<Served extends number = number> {
  /** For callers that name none. When it is retired, callers must name one. */
  readonly default: number;
  /** All versions, also retired ones, the oldest first. */
  readonly all: readonly Version[];
  readonly served: readonly Served[];
}

/** A value for each version that is served; null for a version without the resource. */
export type EachVersion<Served extends number, Value> = Readonly<Record<Served, Value | null>>;

type Facts = Readonly<Record<number, VersionFacts>>;
type ServedOf<All extends Facts> = keyof {
  [Number in keyof All as All[Number] extends { readonly retired: true } ? never : Number]: unknown;
} &
  number;

/**
 * @param declared default and versions by number
 * @returns the versions of the API
 * @throws {TypeError} when no version is served, the default does not exist, a day or URL is invalid, or a sunset is not preceded by a
 * deprecation (RFC 9745, 5)
 */
export function defineVersions<const All extends Facts>(declared: {
  readonly default: keyof All & number;
  readonly versions: All;
}): ApiVersions<ServedOf<All>> {
  const { default: byDefault, versions } = declared;
  const numbers = Object.keys(versions)
    .map(Number)
    .toSorted((a, b) => a - b);
  const isServed = (number: number): number is ServedOf<All> => versions[number]?.retired !== true;
  const served = numbers.filter(isServed);
  if (served.length === 0) throw new TypeError('no version of the API is served');
  if (!numbers.includes(byDefault)) throw new TypeError(`the default is version ${byDefault}, which does not exist`);
  const all = numbers.map((number) => ({ ...versions[number], number }));
  for (const version of all) check(version);
  return { default: byDefault, all, served };
}

/**
 * @param date a day of a version
 * @returns its first moment in UTC
 */
export function momentOf(date: string): Date {
  return new Date(`${date}T00:00:00Z`);
}

function check({ number, deprecated, sunset, info }: Version): void {
  const wrong = (what: string): TypeError => new TypeError(`version ${number} of the API: ${what}`);
  if (!Number.isSafeInteger(number) || number < 1) throw wrong('a version is a number, 1 or more');
  for (const date of [deprecated, sunset])
    if (date !== undefined && !isDay(date)) throw wrong(`"${date}" is no day such as 2027-06-30`);
  if (sunset !== undefined && (deprecated === undefined || sunset < deprecated))
    throw wrong('the sunset needs an earlier day in "deprecated"');
  if (info !== undefined && !/^https?:/.test(URL.parse(info)?.protocol ?? '')) throw wrong(`"${info}" is no URL`);
}

function isDay(date: string): boolean {
  const moment = momentOf(date);
  return /^\d{4}-/.test(date) && !Number.isNaN(moment.getTime()) && moment.toISOString().slice(0, 10) === date;
}

/** A schema with a name. */
export type Named = TSchema & { readonly $id?: string };

/**
 * How a thing of the domain looks in one version of the API. `New` is the input from which a thing is created, `Changes` a merge patch of
 * it (RFC 7396). The mappings are methods, since each version has schemas of its own.
 */
export interface Representation<Thing, New, Changes = unknown> {
  readonly body: Named;
  readonly changes?: Named;
  readonly reply: Named;
  /** Names in filters and in `sort` of the list: that of the version → that of the resource. */
  readonly listed?: Readonly<Record<string, string>>;
  /** Reads a body that its schema has accepted. */
  fromBody(body: unknown): New;
  fromChanges?(changes: unknown): Changes;
  toReply(thing: Thing): unknown;
}

/**
 * Declares how a thing looks in one version. It returns its argument; the types ensure that mapping and schema agree.
 * @param declared schemas of request and reply, and the mapping from and to the domain
 * @returns the same
 */
export function representation<
  Thing,
  New,
  Body extends Named,
  Reply extends Named,
  Patch extends Named,
  Changes,
>(declared: {
  readonly body: Body;
  readonly changes?: Patch;
  readonly reply: Reply;
  readonly listed?: Readonly<Record<string, string>>;
  readonly fromBody: (body: Static<Body>) => New;
  readonly fromChanges?: (changes: Static<Patch>) => Changes;
  readonly toReply: (thing: Thing) => Static<Reply>;
}): Representation<Thing, New, Changes> {
  return declared;
}
