/** What an operation is found by: values of parameters, by their names. */
export interface Address {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
}

/** No link, in the state in which the resource is. */
export type Nowhere = false | null | undefined;

/** A link from what has this body in its replies. */
export interface Link<Body> {
  /** The `operationId` to which it leads. */
  readonly to: string;
  /** For a template (RFC 6570): parameters of the query that are left to the client, as are all of the path. */
  readonly open?: readonly string[];
  /** A method, so that links of different resources fit into one list. */
  address(body: Body): Address | Nowhere;
}

/** Links by relation. */
export type Links<Body> = Readonly<Record<string, Link<Body>>>;

/** A resource: whichever operation answers with it, it has the same links. */
export interface Resource<Body = unknown> {
  readonly kind: 'resource';
  readonly operations: readonly string[];
  /** `self` is one of them. */
  readonly links: Links<Body>;
}

/** A list of resources, whole or in pages. */
export interface Collection<Body = unknown> {
  readonly kind: 'collection';
  readonly operations: readonly [string];
  /** The member of the reply that holds the list. */
  readonly member: string;
  readonly of: Resource;
  /** Those between pages come by themselves. */
  readonly links: Links<Body>;
}

/** What is said of the links of an API. */
export type Declaration = Resource | Collection;
