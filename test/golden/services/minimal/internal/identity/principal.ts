import { contextKey } from '../../pkg/context/index.ts';

/** Who sends a request, by credentials that were verified. */
export interface Principal {
  /** The id of a user or of a client, as whoever issued the credentials has it. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
  /** All that the credentials say. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** When they end, in milliseconds since 1970; a connection must not outlive them. */
  readonly expiresAt: number;
}

/** In the context of work that is done for somebody who is known. */
export const principalKey = contextKey<Principal>('principal');

/** What somebody must be permitted. */
export interface Needs {
  /** All of them. */
  readonly scopes: readonly string[];
  /** One of them, if there are any. */
  readonly roles: readonly string[];
}
