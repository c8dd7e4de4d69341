import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Rule } from './rule.ts';
import { expectation, largestInteger } from './expectation.ts';

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
 * Checks all schemas together, so that one start shows every fault; also what settings say against each other, when
 * each is sound by itself.
 * @param schemas TypeBox objects keyed by environment variable
 * @param env the environment
 * @param rules what must hold between settings
 * @throws {ConfigError} naming every faulty variable
 */
export function checkConfig(schemas: readonly TObject[], env: Environment, rules: readonly Rule[] = []): void {
  const faults = schemas.flatMap((schema) => faultsOf(schema, env));
  const sound = new Set(schemas.flatMap(({ properties }) => Object.keys(properties)));
  for (const { variable } of faults) sound.delete(variable);
  const contradictions = rules
    .filter(({ settings }) => Object.keys(settings.properties).every((name) => sound.has(name)))
    .flatMap((each) => each.contradiction(readConfig(each.settings, env)) ?? []);
  if (faults.length + contradictions.length > 0) throw new ConfigError([...faults, ...contradictions]);
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
  const faults = faultsOf(schema, env);
  if (faults.length > 0 || !Value.Check(schema, settings)) throw new ConfigError(faults);
  return Object.freeze(settings);
}

/**
 * @param schemas TypeBox objects keyed by environment variable
 * @param env a valid environment
 * @returns every setting, fit for a log: secrets are hidden, that one is not set is not
 */
export function redactConfig(schemas: readonly TObject[], env: Environment): Record<string, unknown> {
  const entries = schemas.flatMap((schema) =>
    Object.entries(settingsOf(schema, env)).map(([name, value]): [string, unknown] => [
      name,
      isSecret(schema.properties[name]) && isSet(value) ? '[redacted]' : value,
    ]),
  );
  return Object.fromEntries(entries);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== '';
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

function faultsOf({ properties }: TObject, env: Environment): Fault[] {
  return Object.entries(properties).flatMap(([variable, schema]) => {
    const text = env[variable];
    const value = valueOf(schema, text);
    const valid = value === undefined ? Type.IsOptional(schema) : isValid(schema, value);
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

function isValid(schema: TSchema, value: unknown): boolean {
  const { maximum = largestInteger }: { readonly maximum?: number } = schema;
  return Value.Check(schema, value) && !(Type.IsInteger(schema) && Number(value) > maximum);
}

function isSecret(schema: TSchema | undefined): boolean {
  return schema !== undefined && 'secret' in schema && schema.secret === true;
}

function describe({ variable, expected, given, example }: Fault): string {
  const found = given === undefined ? '' : `, got ${JSON.stringify(given)}`;
  return `${variable}: expected ${expected}${found}${example === undefined ? '' : ` (for example ${example})`}`;
}
