import type { TSchema } from 'typebox';
import { about } from '../app/about.ts';
import { EnvelopeSchema } from './messages/envelope.ts';
import type { Sockets } from './sockets.ts';

/** What a service says of its messages: JSON Schemas, draft 2020-12. */
export interface MessagesDocument {
  readonly $schema: string;
  readonly title: string;
  readonly envelope: TSchema;
  /** `<type>@<version>` → what it is. */
  readonly messages: Readonly<Record<string, MessageDescription>>;
  /** Name → what is published there, as `<type>@<version>`. */
  readonly topics: Readonly<Record<string, readonly string[]>>;
}

interface MessageDescription {
  readonly summary: string;
  readonly scopes?: readonly string[];
  readonly payload: TSchema;
  readonly response?: TSchema;
}

/**
 * @param sockets with all that was registered
 * @returns a description of every message, for clients and for `api/websocket.json`
 */
export function describeMessages(sockets: Sockets): MessagesDocument {
  const described = sockets.definitions().map((definition): [string, MessageDescription] => {
    const { summary, scopes, payload, response } = definition;
    return [
      nameOf(definition),
      { summary, ...(scopes.length > 0 && { scopes }), payload, ...(response !== undefined && { response }) },
    ];
  });
  const topics = sockets.topics().map(({ name, messages }): [string, string[]] => [name, messages.map(nameOf)]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Messages of ${about.name}`,
    envelope: EnvelopeSchema,
    messages: Object.fromEntries(described.toSorted(byName)),
    topics: Object.fromEntries(topics.toSorted(byName)),
  };
}

function nameOf({ type, version }: { readonly type: string; readonly version: string }): string {
  return `${type}@${version}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
