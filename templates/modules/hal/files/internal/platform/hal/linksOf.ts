/** Values of the parameters of an operation, by name. */
export interface Address {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
}

/** There is no link in the present state of the resource. */
export type Nowhere = false | null | undefined;

/** A link from a resource or list whose reply has this body. */
export interface Link<Body> {
  /** The `operationId` of its target. */
  readonly to: string;
  /** Set for a template (RFC 6570): the query parameters that the client fills in, besides all parameters of the path. */
  readonly open?: readonly string[];
  /** A method, so that links of different bodies fit into one list. */
  address(body: Body): Address | Nowhere;
}

/** Links by relation. */
export type Links<Body> = Readonly<Record<string, Link<Body>>>;

/** A resource. It has the same links in the reply of each of its operations. */
export interface Resource<Body = unknown> {
  readonly kind: 'resource';
  readonly operations: readonly string[];
  /** Includes `self`. */
  readonly links: Links<Body>;
}

/** A list of resources, whole or in pages. */
export interface Collection<Body = unknown> {
  readonly kind: 'collection';
  readonly operations: readonly [string];
  /** The member of the reply that holds the list. */
  readonly member: string;
  readonly of: Resource;
  /** Links besides those between pages, which are added automatically. */
  readonly links: Links<Body>;
}

/** The links of a resource or a list. */
export type Declaration = Resource | Collection;

/** An operation in the types of `pkg/client`. */
interface Operation {
  readonly parameters: { readonly path?: unknown; readonly query?: unknown };
  readonly responses: object;
}
/** Operations by their `operationId`; an interface has no index signature. */
type Operations<Api> = { readonly [Name in keyof Api]: Operation };

type Id<Api> = keyof Api & string;
type ParametersOf<Of extends Operation> = Pick<Of['parameters'], keyof Of['parameters'] & ('path' | 'query')>;
type QueryOf<Of extends Operation> = keyof NonNullable<Of['parameters']['query']> & string;
type JsonIn<Response> = Response extends { readonly content: { readonly 'application/json': infer Body } }
  ? Body
  : never;
/** The body of a successful reply. */
type BodyOf<Of extends Operation> = {
  [Status in keyof Of['responses']]: `${Status & (string | number)}` extends `2${string}`
    ? JsonIn<Of['responses'][Status]>
    : never;
}[keyof Of['responses']];
/** Operations without required parameters. */
type Plain<Api extends Operations<Api>> = {
  [Of in Id<Api>]: {} extends ParametersOf<Api[Of]> ? Of : never;
}[Id<Api>];

/** What a resource declares. */
interface Linked<Api extends Operations<Api>, Self extends Id<Api>, Body> {
  readonly self: (body: Body) => ParametersOf<Api[Self]>;
  readonly alsoIn?: readonly Id<Api>[];
  readonly links?: Links<Body>;
}

/** Functions that declare the links of an API. */
export interface Linking<Api extends Operations<Api>> {
  /**
   * @param operation target of the link
   * @param address its parameters, from the body of the resource; a falsy value when there is no link. It is optional for an operation
   * without required parameters
   * @returns the link
   */
  readonly to: {
    (operation: Plain<Api>): Link<unknown>;
    <To extends Id<Api>, Body>(operation: To, address: (body: Body) => ParametersOf<Api[To]> | Nowhere): Link<Body>;
  };
  /**
   * @param operation target of the link
   * @param query parameters that a client may fill in; it must fill in those of the path
   * @returns a template of a link (RFC 6570)
   */
  readonly template: <To extends Id<Api>>(operation: To, query?: readonly QueryOf<Api[To]>[]) => Link<unknown>;
  /**
   * @param operation that returns the resource
   * @param declared its parameters there, other operations that return the same, and its links
   * @returns the resource
   */
  readonly resource: {
    <Self extends Id<Api>>(
      operation: Self,
      declared: Linked<Api, Self, BodyOf<Api[Self]>>,
    ): Resource<BodyOf<Api[Self]>>;
    /** For a reply that shows an entity in another shape (`shownOf`): the links are made of the entity. */
    <Self extends Id<Api>, Entity>(operation: Self, declared: Linked<Api, Self, Entity>): Resource<Entity>;
  };
  /**
   * @param operation that returns the list. It has pages when its query has a `cursor`; the body then has `next`, and maybe `prev`
   * @param declared the member of the body that holds the list, its resource, and links besides those between pages
   * @returns the collection
   */
  readonly collection: <Self extends Id<Api>>(
    operation: Self,
    declared: {
      readonly of: Resource<never>;
      readonly member: keyof BodyOf<Api[Self]> & string;
      readonly links?: Links<BodyOf<Api[Self]>>;
    },
  ) => Collection<BodyOf<Api[Self]>>;
}

/**
 * @param id of an entity, in a field that may have no value
 * @returns the address of the entity; without an id there is no link
 */
export function at(id: string | undefined) {
  return id !== undefined && { path: { id } };
}

/** The same functions without the types. */
const linking = {
  to: (to: string, address: Link<unknown>['address'] = () => ({})): Link<unknown> => ({ to, address }),
  template: (to: string, open: readonly string[] = []): Link<unknown> => ({ to, open, address: () => ({}) }),
  resource(
    operation: string,
    {
      self,
      alsoIn = [],
      links,
    }: { self: (body: unknown) => Address; alsoIn?: readonly string[]; links?: Links<unknown> },
  ): Resource {
    return {
      kind: 'resource',
      operations: [operation, ...alsoIn],
      links: { self: linking.to(operation, self), ...links },
    };
  },
  collection: (
    operation: string,
    { of, member, links = {} }: { of: Resource; member: string; links?: Links<unknown> },
  ): Collection => ({ kind: 'collection', operations: [operation], of, member, links }),
};

/**
 * Returns functions that declare links, typed by the contract: an unknown operation and a missing parameter do not compile. `Api` are the
 * operations of `pkg/client`.
 * @returns the functions
 */
export function linksOf<Api extends Operations<Api>>() {
  // The functions accept everything that the types accept.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return linking as unknown as Linking<Api>;
}
