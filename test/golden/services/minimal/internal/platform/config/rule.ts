import type { Static, TObject } from 'typebox';
import type { Fault } from './config.ts';

/** What must hold between settings, be they of one module or of several. */
export interface Rule {
  /** The schema of those settings; a service that has not all of them has nothing to heed. */
  readonly settings: TObject;
  /** Says which setting is to change, if they contradict each other. A method: rules on different settings fit into one list. */
  contradiction(settings: Static<TObject>): Fault | undefined;
}

/**
 * Declares a rule; the identity function, there for inference.
 * @param settings the schema of the settings that it is about
 * @param contradiction gets them, each valid by itself; says which one is to change, and to what, if there is a contradiction
 * @returns the rule
 */
export function rule<Settings extends TObject>(
  settings: Settings,
  contradiction: (settings: Static<Settings>) => Fault | undefined,
): { readonly settings: Settings; contradiction(settings: Static<Settings>): Fault | undefined } {
  return { settings, contradiction };
}

/**
 * @param settings schema of both
 * @param lower a number
 * @param upper the most that it may be
 * @returns the rule that says so
 */
export function atMost(settings: TObject, lower: string, upper: string): Rule {
  return rule(settings, ({ [lower]: value, [upper]: limit }) =>
    Number(value) <= Number(limit)
      ? undefined
      : {
          variable: lower,
          expected: `at most ${upper}, which is ${String(limit)}`,
          given: String(value),
          example: String(limit),
        },
  );
}

/**
 * @param settings schema of both
 * @param lower a number
 * @param upper it must be less than this
 * @returns the rule that says so
 */
export function below(settings: TObject, lower: string, upper: string): Rule {
  return rule(settings, ({ [lower]: value, [upper]: limit }) =>
    Number(value) < Number(limit)
      ? undefined
      : {
          variable: lower,
          expected: `less than ${upper}, which is ${String(limit)}`,
          given: String(value),
          example: String(Math.floor(Number(limit) / 2)),
        },
  );
}
