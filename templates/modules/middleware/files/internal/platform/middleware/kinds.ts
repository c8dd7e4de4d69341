import type { Static, TObject } from 'typebox';
import { Value } from 'typebox/value';
import { invalidArgument, notFound } from '../../../pkg/errors/index.ts';
import type { Handle } from '../http/server.ts';

/** What operators can add without a new release. */
export interface Kind<Settings extends TObject = TObject> {
  readonly summary: string;
  readonly settings: Settings;
  /**
   * A method, so that kinds with different settings fit into one list.
   * @throws {Error} on settings that make no sense; the operator is told
   */
  make(settings: Static<Settings>): Handle;
}

/** Kinds of middleware by name. */
export class Kinds {
  readonly #kinds = new Map<string, Kind>();

  /**
   * @param name by which operators ask for it
   * @param kind what they get
   * @throws {Error} when the name is taken
   */
  offer<Settings extends TObject>(name: string, kind: Kind<Settings>): void {
    if (this.#kinds.has(name)) throw new Error(`two kinds of middleware are called "${name}"`);
    this.#kinds.set(name, kind);
  }

  /** What there is, as operators are told. */
  get offered(): Readonly<Record<string, Pick<Kind, 'summary' | 'settings'>>> {
    return Object.fromEntries([...this.#kinds].map(([name, { summary, settings }]) => [name, { summary, settings }]));
  }

  /**
   * @param name of a kind
   * @param settings of the operator
   * @returns a new one
   * @throws {ServiceError} 404 when there is no such kind, 400 when the settings are not of it
   */
  make(name: string, settings: unknown): Handle {
    const kind = this.#kinds.get(name);
    if (kind === undefined) throw notFound('kind', name);
    if (!Value.Check(kind.settings, settings)) {
      const faults = [...Value.Errors(kind.settings, settings)].map(
        (each) => `settings${each.instancePath} ${each.message}`,
      );
      throw invalidArgument(`${faults.join('; ')}.`);
    }
    try {
      return kind.make(settings);
    } catch (error) {
      throw invalidArgument(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}
