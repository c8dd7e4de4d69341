import { ServiceError, invalidArgument } from '../../errors/index.ts';

/** A link in a reply (draft-kelly-json-hal). */
interface Link {
  readonly href: string;
  readonly templated?: boolean;
}

/** A reply with links, as the client returns it, or a resource embedded in one. */
export interface Linked {
  readonly data: { readonly _links: object };
  /** Links are relative to the URL of the reply. */
  readonly response: { readonly url: string };
}

/** Values for the parameters of a template, by name. */
export type Values = Readonly<Record<string, string | number | boolean>>;

/** Of RFC 6570 what the links of this service have: `{id}`, and `{?name,limit}`. */
const expression = /\{(\??)([\w,]+)\}/g;

/**
 * @param linked a reply, or a resource in one
 * @param relation of a link
 * @returns whether it is there: state and caller permit it
 */
export function hasLink(linked: Linked, relation: string): boolean {
  return linkIn(linked, relation) !== undefined;
}

/**
 * Says where a link leads: `at` of a call.
 * @param linked a reply, or a resource in one
 * @param relation of the link
 * @param values for the parameters of a template; those of its query may be left out
 * @returns the URL
 * @throws {ServiceError} 404 `link_missing` when there is no such link, 400 when it is not understood or a parameter of its path is
 * missing
 */
export function locate(linked: Linked, relation: string, values: Values = {}): URL {
  const link = linkIn(linked, relation);
  if (link === undefined) {
    const publicMessage = `There is no link "${relation}".`;
    throw new ServiceError({ code: 'link_missing', status: 404, publicMessage });
  }
  const href = link.templated === true ? expand(link.href, values) : link.href;
  const url = URL.parse(href, linked.response.url);
  if (url === null) throw invalidArgument(`"${href}" is no link.`);
  return url;
}

/**
 * @param reply with a list
 * @returns what is listed, each with its own links
 */
export function membersOf<Member extends Linked['data']>(reply: {
  readonly data: { readonly _embedded: { readonly item: readonly Member[] } };
  readonly response: Linked['response'];
}): { readonly data: Member; readonly response: Linked['response'] }[] {
  const { _embedded: embedded } = reply.data;
  return embedded.item.map((data) => ({ data, response: reply.response }));
}

/** What came over the network is looked at, whatever its type. */
function linkIn({ data: { _links: links } }: Linked, relation: string): Link | undefined {
  const found = new Map<string, unknown>(Object.entries(links)).get(relation);
  return isLink(found) ? found : undefined;
}

function isLink(value: unknown): value is Link {
  return typeof value === 'object' && value !== null && 'href' in value && typeof value.href === 'string';
}

function expand(template: string, values: Values): string {
  const href = template.replaceAll(expression, (_, query: string, names: string) => {
    if (query === '') return segment(names, values[names]);
    const pairs = names.split(',').flatMap((name): string[] => {
      const value = values[name];
      return value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`];
    });
    return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
  });
  if (/[{}]/.test(href)) throw invalidArgument(`"${template}" is not understood.`);
  return href;
}

/** A dot is a step in a path even when it is encoded. */
function segment(name: string, value: Values[string] = ''): string {
  const text = String(value);
  if (/^\.{0,2}$/.test(text)) throw invalidArgument(`The parameter "${name}" cannot be "${text}".`);
  return encodeURIComponent(text);
}
