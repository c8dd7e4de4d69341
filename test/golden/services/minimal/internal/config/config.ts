import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { expectation } from './expectation.ts';

/** Where settings come from: `process.env`, or an object in tests. Names that no schema knows are ignored. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with one variable. */
export interface Fault {
  readonly variable: string;
  readonly expected: string;
  /** What stands there; left out for secrets, and when nothing does. */
  readonly given?: string;
  readonly example?: string;
}

/** Every fault of a configuration at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly Fault[];

  /** @param faults at least one */
  constructor(faults: readonly Fault[]) {
    super(['The configuration is not valid:', ...faults.map((fault) => `  ${describe(fault)}`)].join('\n'));
    this.faults = faults;
  }
}

/**
 * Checks all schemas together, so that one start shows every fault.
 * @param schemas TypeBox objects keyed by environment variable
 * @param env the environment
 * @throws {ConfigError} naming every faulty variable
 */
export function checkConfig(schemas: readonly TObject[], env: Environment): void {
  const faults = schemas.flatMap((schema) => faultsOf(schema, env));
  if (faults.length > 0) throw new ConfigError(faults);
}

/**
 * Reads the settings of one schema.
 * @param schema a TypeBox object keyed by environment variable
 * @param env the environment
 * @returns the settings, converted, with defaults, frozen
 * @throws {ConfigError} naming every faulty variable
 */
export function readConfig<Schema extends TObject>(schema: Schema, env: Environment): Readonly<Static<Schema>> {
  const settings = settingsOf(schema, env);
  if (!Value.Check(schema, settings)) throw new ConfigError(faultsOf(schema, env));
  return Object.freeze(settings);
}

/**
 * @param schemas TypeBox objects keyed by environment variable
 * @param env a valid environment
 * @returns every setting, fit for a log: secrets are hidden
 */
export function redactConfig(schemas: readonly TObject[], env: Environment): Record<string, unknown> {
  const entries = schemas.flatMap((schema) =>
    Object.entries(settingsOf(schema, env)).map(([name, value]): [string, unknown] => [
      name,
      isSecret(schema.properties[name]) ? '[redacted]' : value,
    ]),
  );
  return Object.fromEntries(entries);
}

function settingsOf({ properties }: TObject, env: Environment): Record<string, unknown> {
  const entries = Object.entries(properties).map(([name, schema]): [string, unknown] => [
    name,
    valueOf(schema, env[name]),
  ]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** An empty variable counts as not set: that is what `NAME=` in an env file means. */
function valueOf(schema: TSchema, text: string | undefined): unknown {
  if (text === undefined || text === '') return 'default' in schema ? schema.default : undefined;
  if (Type.IsInteger(schema) || Type.IsNumber(schema)) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (Type.IsBoolean(schema)) return { true: true, false: false }[text] ?? text;
  return text;
}

function faultsOf({ properties, required }: TObject, env: Environment): Fault[] {
  return Object.entries(properties).flatMap(([variable, schema]) => {
    const text = env[variable];
    const value = valueOf(schema, text);
    const valid = value === undefined ? !required.includes(variable) : Value.Check(schema, value);
    if (valid) return [];
    const { examples: [example] = [] }: { readonly examples?: readonly (string | number | boolean)[] } = schema;
    return [
      {
        variable,
        expected: expectation(schema),
        ...(text === undefined || isSecret(schema) ? {} : { given: text }),
        ...(example === undefined ? {} : { example: String(example) }),
      },
    ];
  });
}

function isSecret(schema: TSchema | undefined): boolean {
  return schema !== undefined && 'secret' in schema && schema.secret === true;
}

function describe({ variable, expected, given, example }: Fault): string {
  const found = given === undefined ? '' : `, got ${JSON.stringify(given)}`;
  return `${variable}: expected ${expected}${found}${example === undefined ? '' : ` (for example ${example})`}`;
}
