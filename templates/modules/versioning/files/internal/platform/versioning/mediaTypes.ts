import type { IncomingHttpHeaders } from 'node:http';
import Negotiator from 'negotiator';
import { about } from '../app/about.ts';
import type { ApiVersions } from './apiVersions.ts';

/** The longest Accept that is negotiated, in characters; browsers send about a hundred. Negotiation takes microseconds for each range. */
const longestAccept = 1000;
/** Ranges of it that concern us and are negotiated: more than anybody has versions. */
const mostRanges = 16;
/** Accepts of which it is kept what came of them; callers send the same ones again and again. */
const mostKnown = 100;
/** The tree of media types that are somebody's own. */
const vendors = /^\s*application\/vnd\./i;

/** The media types by which callers may name a version, `application/vnd.<service>` (RFC 6838, 3.2). */
export class MediaTypes {
  readonly #versions: ApiVersions;
  readonly #name: string;
  readonly #mention: RegExp;
  readonly #type: RegExp;
  readonly #concern: RegExp;
  /** What most requests say, so that it costs one look. */
  readonly #known: Map<string, number | 'any'>;

  /**
   * @param versions of the API
   * @param service its name; without the scope of a package
   */
  constructor(versions: ApiVersions, service = about.name.replace(/^@[^/]*\//, '')) {
    this.#versions = versions;
    this.#name = `application/vnd.${service.toLowerCase()}`;
    const name = this.#name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    this.#mention = new RegExp(String.raw`${name}[.+]|;\s*version=`, 'i');
    this.#type = new RegExp(
      String.raw`^\s*(?:application/json|${name}(?:\.v(?<suffix>[^+;,\s]*))?\+json)\s*(?:;.*?\bversion="?(?<parameter>[^";,\s]*))?`,
      'i',
    );
    this.#concern = new RegExp(String.raw`^\s*(?:\*/\*|application/(?:\*|json)|${name}[.+])`, 'i');
    this.#known = new Map(versions.all.map(({ number }) => [this.of(number), number]));
  }

  /**
   * @param version of the API
   * @returns the media type of its replies
   */
  of(version: number): string {
    return `${this.#name}.v${version}+json`;
  }

  /**
   * Negotiates (RFC 9110, 12.5.1) among versions, and the default as plain JSON.
   * @param accept the header
   * @returns the version that the caller likes best: of what it likes equally, one that it names. 'any' when it names none,
   * undefined when there is none that it likes. One that is retired only when there is none else
   */
  accepted(accept: string | undefined): number | 'any' | undefined {
    if (accept === undefined || !this.#mention.test(accept)) return 'any';
    const known = this.#known.get(accept);
    if (known !== undefined) return known;
    const { all } = this.#versions;
    const served = all.filter(({ retired }) => !retired).map(({ number }) => number);
    const others = all.filter(({ retired }) => retired).map(({ number }) => number);
    const best = this.#best(accept, served, true) ?? this.#best(accept, others, false);
    if (best !== undefined && this.#known.size < mostKnown) this.#known.set(accept, best);
    return best;
  }

  /**
   * @param contentType the header
   * @returns the version that it names, as it stands there; undefined when it names none
   */
  sent(contentType: string | undefined): string | undefined {
    if (contentType === undefined || !this.#mention.test(contentType)) return undefined;
    const { suffix, parameter } = this.#type.exec(contentType)?.groups ?? {};
    return suffix ?? parameter;
  }

  /**
   * @param contentType the header
   * @returns whether it is a type of another vendor's, or one of ours that names no version as ours do
   */
  isForeign(contentType: string | undefined): boolean {
    return contentType !== undefined && vendors.test(contentType) && !this.#type.test(contentType);
  }

  /**
   * @param headers of a request whose version is named elsewhere
   * @param version by that name
   * @returns the header that asks for another version; undefined when none does
   */
  contradicting(headers: IncomingHttpHeaders, version: number): string | undefined {
    const { accept, 'content-type': contentType } = headers;
    if (accept !== undefined && this.#mention.test(accept) && this.#best(accept, [version], true) === undefined)
      return accept;
    const sent = this.sent(contentType);
    return sent === undefined || sent === String(version) ? undefined : contentType;
  }

  #best(accept: string, versions: readonly number[], plain: boolean): number | 'any' | undefined {
    if (accept.length > longestAccept) return undefined;
    const { default: byDefault } = this.#versions;
    // Of what is liked equally the default comes first.
    const ordered = versions.toSorted((a, b) => Number(b === byDefault) - Number(a === byDefault));
    const offers = new Map<string, number | 'any'>(
      plain && versions.includes(byDefault) ? [['application/json', 'any']] : [],
    );
    for (const version of ordered) {
      offers.set(this.of(version), version);
      offers.set(`${this.#name}+json;version=${version}`, version);
      offers.set(`application/json;version=${version}`, version);
    }
    const ranges = accept.split(',').filter((range) => this.#concern.test(range));
    // Of what is as specific and liked equally, what stands first is chosen: it is to be what names a version.
    const namedFirst = (a: string, b: string): number => Number(this.#mention.test(b)) - Number(this.#mention.test(a));
    const concerning = ranges.slice(0, mostRanges).toSorted(namedFirst).join();
    const [best] = new Negotiator({ headers: { accept: concerning } }).mediaTypes([...offers.keys()]);
    return best === undefined ? undefined : offers.get(best);
  }
}
