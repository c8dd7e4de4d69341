import { Validator } from '@cfworker/json-schema';
import { fieldOf, isTooDeep } from './json.ts';
import { catalogueVersionPattern } from './manifest.ts';
import { breaks, helpers } from './model.ts';

/** One line without control characters. It is printed in tables and prompts. */
const line = { type: 'string', maxLength: 2000, pattern: String.raw`^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*$` };
const id = { type: 'string', maxLength: 60, pattern: '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' };
const path = { type: 'string', minLength: 1 };
const isTrue = { const: true };

function list(items: object): object {
  return { type: 'array', items };
}

function record(values: object, names: object = line): object {
  return { type: 'object', propertyNames: names, additionalProperties: values };
}

function shape(properties: Readonly<Record<string, object>>, ...required: readonly string[]): object {
  return { type: 'object', properties, required };
}

const file = {
  ...shape(
    {
      path,
      ownership: { enum: ['managed', 'merged', 'seed', 'derived'] },
      executable: isTrue,
      platformTest: isTrue,
      text: { type: 'string' },
      template: { $ref: '#/$defs/template' },
    },
    'path',
    'ownership',
  ),
  anyOf: [{ required: ['text'] }, { required: ['template'] }],
};

const resourceFile = {
  ...shape(
    {
      path: { $ref: '#/$defs/template' },
      ownership: { enum: ['managed', 'merged', 'seed'] },
      text: { type: 'string' },
      template: { $ref: '#/$defs/template' },
    },
    'path',
    'ownership',
  ),
  anyOf: [{ required: ['text'] }, { required: ['template'] }],
};

const option = {
  ...shape({ type: { enum: ['boolean', 'string'] }, summary: line, enum: list(line) }, 'type', 'summary', 'default'),
  anyOf: [
    { properties: { type: { const: 'boolean' }, default: { type: 'boolean' } } },
    { properties: { type: { const: 'string' }, default: line }, required: ['enum'] },
  ],
};

const variable = shape(
  {
    name: line,
    description: line,
    expects: line,
    default: line,
    example: line,
    secret: { type: 'boolean' },
    required: { type: 'boolean' },
  },
  'name',
  'description',
  'expects',
  'secret',
  'required',
);

const module = shape(
  {
    id,
    summary: line,
    category: line,
    part: isTrue,
    withResources: { enum: ['any', 'states', 'json', 'sparse'] },
    requires: list(id),
    hosts: list(path),
    conflicts: list(id),
    options: record(option),
    dependencies: list(line),
    devDependencies: list(line),
    scripts: record({ type: 'string' }),
    checks: list(line),
    wiring: record(path),
    ownership: shape({ managed: list(path), seed: list(path) }),
    platformTests: list(path),
    ci: { type: 'object' },
    tryIt: { type: 'object' },
    agentRules: list(line),
    renamed: record(path, path),
    contract: { type: 'object' },
    resource: shape(
      {
        files: list(resourceFile),
        types: record(record({ type: 'string' })),
        contract: { $ref: '#/$defs/template' },
        lists: record(
          shape(
            { list: line, export: { $ref: '#/$defs/template' }, from: { $ref: '#/$defs/template' } },
            'list',
            'export',
            'from',
          ),
          path,
        ),
      },
      'files',
      'types',
      'lists',
    ),
    files: list(file),
    config: list(variable),
  },
  'id',
  'summary',
  'category',
  'files',
  'config',
);

/** The keys that every catalogue has. */
export const catalogueKeys = [
  'version',
  'manifestVersion',
  'migrations',
  'node',
  'packageManagers',
  'versions',
  'base',
  'modules',
  'presets',
] as const;

/** The JSON Schema (2020-12) of a catalogue, as far as the engine relies on its shape. */
const catalogueSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...shape(
    {
      version: { type: 'string', maxLength: 60, pattern: catalogueVersionPattern.source },
      manifestVersion: { type: 'integer', minimum: 1, maximum: 1000 },
      migrations: list(shape({ to: { type: 'integer' }, steps: list({ type: 'object' }) }, 'to', 'steps')),
      node: shape({ image: line, npm: line, packages: list(line) }, 'image', 'npm', 'packages'),
      packageManagers: record(line),
      lockfiles: shape(
        { npm: record({ type: 'object' }), pnpm: { type: 'string' }, yarn: { type: 'string' } },
        'npm',
        'pnpm',
        'yarn',
      ),
      versions: record(line),
      base: module,
      modules: record(module, id),
      presets: record(shape({ summary: line, modules: list(id), resources: { type: 'object' } }, 'summary', 'modules')),
    },
    ...catalogueKeys,
  ),
  $defs: {
    template: list({
      anyOf: [
        { type: 'string' },
        shape({ value: { $ref: '#/$defs/expression' } }, 'value'),
        shape({ fit: { $ref: '#/$defs/template' } }, 'fit'),
        shape({ break: { enum: breaks } }, 'break'),
        shape(
          {
            each: { $ref: '#/$defs/expression' },
            as: { type: 'string' },
            body: { $ref: '#/$defs/template' },
            none: { $ref: '#/$defs/template' },
          },
          'each',
          'body',
          'none',
        ),
        shape(
          {
            if: { $ref: '#/$defs/expression' },
            yes: { $ref: '#/$defs/template' },
            no: { $ref: '#/$defs/template' },
          },
          'if',
          'yes',
          'no',
        ),
      ],
    }),
    expression: {
      anyOf: [
        shape({ path: list({ type: 'string' }) }, 'path'),
        shape({ literal: { type: ['string', 'boolean', 'number'] } }, 'literal'),
        shape(
          {
            call: { enum: Object.keys(helpers) },
            with: { ...list({ $ref: '#/$defs/expression' }), minItems: 1, maxItems: 2 },
          },
          'call',
          'with',
        ),
      ],
    },
  },
};

/** The max number of modules. Some checks take quadratic time. */
const mostModules = 1000;

/**
 * @param value a parsed catalogue, which may have been written by anyone
 * @returns its first fault, with its JSON pointer (RFC 6901); undefined when it has the shape of a catalogue
 */
export function catalogueFault(value: unknown): string | undefined {
  if (Object.keys(fieldOf(value, 'modules') ?? {}).length > mostModules)
    return `it has more than ${mostModules} modules`;
  if (isTooDeep(value)) return 'its values are nested too deep';
  // The fault of a nested rule comes after the faults of the rules around it.
  const fault = new Validator(catalogueSchema, '2020-12').validate(value).errors.at(-1);
  return fault && `${decodeURI(fault.instanceLocation).slice(1)}: ${fault.error}`;
}
