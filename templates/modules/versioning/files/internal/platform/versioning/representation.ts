import type { Static, TSchema } from 'typebox';

/** A schema with a name. */
type Named = TSchema & { readonly $id?: string };

/** How a thing of the domain looks in one version of the API: `New` is what is chosen when one is created. */
export interface Representation<Thing, New> {
  readonly body: Named;
  readonly reply: Named;
  /** From a body that its schema has let through. A method: each version reads a body of its own. */
  fromBody(body: unknown): New;
  readonly toReply: (thing: Thing) => unknown;
}

/**
 * Declares how a thing looks in one version; the identity function, there for the types: mapping and schema have to agree.
 * @param declared schemas of what is sent and answered, and the way from and to the domain
 * @returns the same
 */
export function representation<Thing, New, Body extends Named, Reply extends Named>(declared: {
  readonly body: Body;
  readonly reply: Reply;
  readonly fromBody: (body: Static<Body>) => New;
  readonly toReply: (thing: Thing) => Static<Reply>;
}): Representation<Thing, New> {
  return declared;
}
