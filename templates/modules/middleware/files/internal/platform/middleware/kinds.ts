import { compile } from '@fastify/proxy-addr';
import { type Static, type TObject, Type } from 'typebox';
import { Value } from 'typebox/value';
import { current } from '../../../pkg/context/index.ts';
import { invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import type { Handle } from '../http/types.ts';
import { problem, type Refuse } from '../http/problems.ts';
import { principalKey } from '../http/requestContext.ts';

/** A kind of middleware that operators can add while the service runs. */
export interface Kind<Settings extends TObject = TObject> {
  readonly summary: string;
  readonly settings: Settings;
  /**
   * A method, so that kinds with different settings fit into one map.
   * @throws {Error} on settings without meaning; the operator gets the message
   */
  make(settings: Static<Settings>): Handle;
}

/** Kinds of middleware by name. */
export class Kinds {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param name by which operators request it
   * @param kind the kind
   * @throws {Error} when the name is taken
   */
  offer<Settings extends TObject>(name: string, kind: Kind<Settings>): void {
    if (this.#kinds.has(name)) throw new Error(`duplicate kind of middleware "${name}"`);
    this.#kinds.set(name, kind);
  }

  /** All kinds, for operators. */
  get offered(): Readonly<Record<string, Pick<Kind, 'summary' | 'settings'>>> {
    return Object.fromEntries([...this.#kinds].map(([name, { summary, settings }]) => [name, { summary, settings }]));
  }

  /**
   * @param name of a kind
   * @param settings of the operator
   * @returns a new middleware of the kind
   * @throws {ServiceError} 404 for an unknown kind, 400 for invalid settings
   */
  make(name: string, settings: unknown): Handle {
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw notFound('kind', name);
    if (!Value.Check(kind.settings, settings)) {
      const faults = [...Value.Errors(kind.settings, settings)];
      throw invalidArgument(`${faults.map((each) => `settings${each.instancePath} ${each.message}`).join('; ')}.`);
    }
    try {
      return kind.make(settings);
    } catch (error) {
      throw invalidArgument(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}

const blockSettings = Type.Object(
  {
    peers: Type.Optional(Type.String({ minLength: 1, description: 'Addresses or networks, separated by commas' })),
    subject: Type.Optional(Type.String({ minLength: 1, description: 'Subject of a verified token' })),
  },
  { additionalProperties: false, minProperties: 1 },
);

/**
 * @param refuse answers blocked requests
 * @returns a kind that blocks callers by address, by subject, or by both together
 */
export function blocking(refuse: Refuse): Kind<typeof blockSettings> {
  return {
    summary: 'Answers one caller with 403',
    settings: blockSettings,
    make({ peers, subject }) {
      const isPeer = peers === undefined ? () => true : compile(peers.split(','));
      return (request, reply, next) => {
        const isSubject = subject === undefined || subject === current().get(principalKey)?.subject;
        if (!isPeer(request.ip, 0) || !isSubject) return next();
        refuse(request, reply, problem(403, { code: 'blocked', detail: 'Your requests are not answered for now.' }));
      };
    },
  };
}
