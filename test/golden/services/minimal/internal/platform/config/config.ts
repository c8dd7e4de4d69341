import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';

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

/** The keywords of JSON Schema that say what a value must look like. */
interface Keywords {
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/**
 * Of an integer whose schema names no maximum: the most milliseconds that a timer of Node waits. What is set to more fires at
 * once, and more bytes than that fit into no string.
 */
export const largestInteger = 2 ** 31 - 1;

/**
 * @param schema of one variable
 * @returns in words what a value must look like, such as "an integer from 0 to 65535"
 */
export function expectation(schema: TSchema): string {
  const { enum: choices, format, pattern, minLength = 1 }: Keywords = schema;
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsInteger(schema)) return `an integer${range({ maximum: largestInteger, ...schema })}`;
  if (Type.IsNumber(schema)) return `a number${range(schema)}`;
  if (format !== undefined) return `a ${format}`;
  if (pattern !== undefined) return `text that matches ${pattern}`;
  return minLength > 1 ? `text of at least ${minLength} characters` : 'text that is not empty';
}

function range(schema: object): string {
  const { minimum, maximum }: Keywords = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? '' : ` of at most ${maximum}`;
}

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
