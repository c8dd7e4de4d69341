import type { Address, Collection, Link, Links, Nowhere, Resource } from './declaration.ts';
import type { Registered } from './registered.ts';

/** What the types of an operation in `pkg/client` have in common. */
interface Operation {
  readonly parameters: { readonly path?: unknown; readonly query?: unknown };
  readonly responses: object;
}
/** Operations by their `operationId`; an interface has no index signature. */
type Operations<Api> = { readonly [Name in keyof Api]: Operation };

type Id<Api> = keyof Api & string;
type ParametersOf<Of extends Operation> = Pick<Of['parameters'], keyof Of['parameters'] & ('path' | 'query')>;
type QueryOf<Of extends Operation> = [NonNullable<Of['parameters']['query']>] extends [never]
  ? never
  : keyof NonNullable<Of['parameters']['query']> & string;
type JsonIn<Response> = Response extends { readonly content: { readonly 'application/json': infer Body } }
  ? Body
  : never;
/** The body of a successful reply. */
type BodyOf<Of extends Operation> = {
  [Status in keyof Of['responses']]: `${Status & (string | number)}` extends `2${string}`
    ? JsonIn<Of['responses'][Status]>
    : never;
}[keyof Of['responses']];
/** Operations that are found without a parameter. */
type Plain<Api extends Operations<Api>> = {
  [Of in Id<Api>]: {} extends ParametersOf<Api[Of]> ? Of : never;
}[Id<Api>];
/** Operations that answer with such a body. */
type Answering<Api extends Operations<Api>, Body> = {
  [Of in Id<Api>]: BodyOf<Api[Of]> extends Body ? Of : never;
}[Id<Api>];
/** Members that hold a list. */
type ListIn<Body, Member> = {
  [Name in keyof Body]-?: Body[Name] extends readonly Member[] ? Name : never;
}[keyof Body] &
  string;

/** Declares the links of an API. */
export interface Linking<Api extends Operations<Api>, Relation extends string> {
  /**
   * @param operation to which a link leads
   * @param address its parameters, from the body of what is linked; a falsy value where there is no link. It may be left out for an
   * operation that needs none
   * @returns the link
   */
  readonly to: {
    (operation: Plain<Api>): Link<unknown>;
    <To extends Id<Api>, Body>(operation: To, address: (body: Body) => ParametersOf<Api[To]> | Nowhere): Link<Body>;
  };

  /**
   * @param operation to which a link leads
   * @param query its parameters that a client may fill in; those of its path a client must
   * @returns a template of a link (RFC 6570)
   */
  readonly template: <To extends Id<Api>>(operation: To, query?: readonly QueryOf<Api[To]>[]) => Link<unknown>;

  /**
   * @param operation which gives the resource by its address
   * @param said how it is found there; other operations that answer with the same; its links
   * @returns the resource
   */
  readonly resource: <Self extends Id<Api>>(
    operation: Self,
    said: {
      readonly self: (body: BodyOf<Api[Self]>) => ParametersOf<Api[Self]>;
      readonly alsoIn?: readonly Answering<Api, BodyOf<Api[Self]>>[];
      readonly links?: { readonly [Name in Exclude<Relation, 'self'>]?: Link<BodyOf<Api[Self]>> };
    },
  ) => Resource<BodyOf<Api[Self]>>;

  /**
   * @param operation which gives the list. When it has pages, its query takes a `cursor`: `next`, and `prev`, of the body
   * @param said which member of the body is the list, and of what; links besides those between pages
   * @returns the collection
   */
  readonly collection: <Self extends Id<Api>, Member>(
    operation: Self,
    said: {
      readonly of: Resource<Member>;
      readonly member: ListIn<BodyOf<Api[Self]>, Member>;
      readonly links?: { readonly [Name in Exclude<Relation, Paging>]?: Link<BodyOf<Api[Self]>> };
    },
  ) => Collection<BodyOf<Api[Self]>>;
}

/** What leads from page to page. */
type Paging = 'self' | 'first' | 'prev' | 'next';

/** The same without the types, of which nothing is left at run time. */
const linking = {
  to: (operation: string, address: Link<unknown>['address'] = () => ({})): Link<unknown> => ({
    to: operation,
    address,
  }),

  template: (operation: string, query: readonly string[] = []): Link<unknown> => ({
    to: operation,
    open: query,
    address: () => ({}),
  }),

  resource(
    operation: string,
    said: { self: (body: unknown) => Address; alsoIn?: readonly string[]; links?: Links<unknown> },
  ): Resource {
    const operations = [...new Set([operation, ...(said.alsoIn ?? [])])];
    return { kind: 'resource', operations, links: { self: linking.to(operation, said.self), ...said.links } };
  },

  collection: (
    operation: string,
    { of, member, links = {} }: { of: Resource; member: string; links?: Links<unknown> },
  ): Collection => ({ kind: 'collection', operations: [operation], of, member, links }),
};

/**
 * For the links of an API, typed by its contract: an operation that it does not have, a parameter that is missing, and a relation
 * that is neither registered nor the API's own (`api:` and its name) do not compile.
 * @returns what declares them; `Api` are the operations as `pkg/client` has them, `Own` the names of relations of the API's own
 */
export function linksOf<Api extends Operations<Api>, Own extends string>(): Linking<Api, Registered | `api:${Own}`> {
  // Whatever the types let through, it takes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return linking as Linking<Api, Registered | `api:${Own}`>;
}
