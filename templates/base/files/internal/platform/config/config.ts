import { type Static, type TObject, type TSchema, Type } from 'typebox';
import { faultsOf, matches } from '../../../pkg/validation/index.ts';

/** Where settings come from: `process.env`, or an object in tests. Unknown names are ignored. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What is wrong with one variable. */
export interface Fault {
  readonly variable: string;
  readonly expected: string;
  /** Left out for secrets and unset variables. */
  readonly given?: string;
  readonly example?: string;
}

/** All faults of a configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(['The configuration is not valid:', ...faults.map((fault) => `  ${describe(fault)}`)].join('\n'));
    this.faults = faults;
  }
}

function describe({ variable, expected, given, example }: Fault): string {
  const found = given === undefined ? '' : `, got ${JSON.stringify(given)}`;
  return `${variable}: expected ${expected}${found}${example === undefined ? '' : ` (for example ${example})`}`;
}

/** A condition between settings, of one module or of several. */
export interface Rule<Settings extends TObject = TObject> {
  /** The schema of those settings. A service that lacks one of them ignores the rule. */
  readonly settings: Settings;
  /**
   * A method, so that rules on different settings fit into one list.
   * @returns what is wrong with the setting that must change, if any
   */
  contradiction(settings: Static<Settings>, isProduction: boolean): Fault | undefined;
}

/**
 * Declares a rule. It exists for type inference.
 * @param settings the schema of the settings
 * @param contradiction gets the settings, each valid by itself, and whether `NODE_ENV` is production; says which one must change, if any
 * @returns the rule
 */
export function rule<Settings extends TObject>(
  settings: Settings,
  contradiction: Rule<Settings>['contradiction'],
): Rule<Settings> {
  return { settings, contradiction };
}

/**
 * @param settings schema of both
 * @param lower name of a number
 * @param upper name of its upper limit
 * @returns the rule `lower` ≤ `upper`
 */
export function atMost(settings: TObject, lower: string, upper: string): Rule {
  return rule(settings, ({ [lower]: value, [upper]: limit }) => {
    if (Number(value) <= Number(limit)) return undefined;
    const expected = `at most ${upper}, which is ${String(limit)}`;
    return { variable: lower, expected, given: String(value), example: String(limit) };
  });
}

/** The default maximum of a number: a timer of Node that waits for more milliseconds fires at once. */
const maxNumber = 2 ** 31 - 1;

/** What a schema of one variable may say besides its type. */
interface Keywords {
  readonly enum?: readonly string[];
  readonly examples?: readonly (string | number | boolean)[];
  readonly format?: string;
  readonly maximum?: number;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly secret?: boolean;
}

/**
 * @param schema of one variable
 * @returns what a value must look like, such as "an integer from 0 to 65535"
 */
export function expectation(schema: TSchema): string {
  const { enum: choices, format, pattern, minimum, maximum = maxNumber, minLength = 1 }: Keywords = schema;
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  if (Type.IsBoolean(schema)) return 'true or false';
  if (Type.IsInteger(schema) || Type.IsNumber(schema)) {
    const kind = Type.IsInteger(schema) ? 'an integer' : 'a number';
    return minimum === undefined ? `${kind} of at most ${maximum}` : `${kind} from ${minimum} to ${maximum}`;
  }
  if (format !== undefined) return `a ${format}`;
  if (pattern !== undefined) return `text that matches ${pattern}`;
  return minLength > 1 ? `text of at least ${minLength} characters` : 'text that is not empty';
}

/**
 * Checks all schemas and rules together, so that one start shows every fault.
 * @param schemas TypeBox objects keyed by environment variable
 * @param env the environment
 * @param rules conditions between settings; checked only between settings that are valid by themselves
 * @throws {ConfigError} naming every faulty variable
 */
export function checkConfig(schemas: readonly TObject[], env: Environment, rules: readonly Rule[] = []): void {
  const parsed = schemas.map((schema) => parse(schema, env));
  const faults = parsed.flatMap((each) => each.faults);
  const valid = new Set(schemas.flatMap(({ properties }) => Object.keys(properties)));
  for (const { variable } of faults) valid.delete(variable);
  const contradictions = rules
    .filter(({ settings }) => Object.keys(settings.properties).every((name) => valid.has(name)))
    .flatMap((each) => each.contradiction(readConfig(each.settings, env), env['NODE_ENV'] === 'production') ?? []);
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
  const { settings, faults } = parse(schema, env);
  if (faults.length > 0 || !matches(schema, settings)) throw new ConfigError(faults);
  return Object.freeze(settings);
}

function parse(schema: TObject, env: Environment) {
  const settings: Record<string, unknown> = {};
  for (const [variable, each] of Object.entries(schema.properties)) {
    const value = valueOf(each, env[variable]);
    if (value !== undefined) settings[variable] = value;
  }
  const faulty = new Set(faultsOf(schema, settings).map(({ pointer }) => pointer.split('/')[1]));
  const faults = Object.entries(schema.properties)
    .filter(([variable]) => faulty.has(variable))
    .map(([variable, each]): Fault => {
      const { examples: [example] = [], secret = false }: Keywords = each;
      const given = secret ? undefined : env[variable];
      return {
        variable,
        expected: expectation(each),
        ...(given !== undefined && { given }),
        ...(example !== undefined && { example: String(example) }),
      };
    });
  return { settings, faults };
}

/**
 * Stricter than `Value.Convert`, which takes `0x50` for 80 and `1` for true. An empty variable counts as unset.
 * @returns the text itself when it is not of the type, which the validation then reports
 */
function valueOf(schema: TSchema, text: string | undefined): unknown {
  if (text === undefined || text === '') return 'default' in schema ? schema.default : undefined;
  const { maximum = maxNumber }: Keywords = schema;
  if (Type.IsInteger(schema) || Type.IsNumber(schema))
    return /^-?\d+(\.\d+)?$/.test(text) && Number(text) <= maximum ? Number(text) : text;
  if (Type.IsBoolean(schema)) return { true: true, false: false }[text] ?? text;
  return text;
}
