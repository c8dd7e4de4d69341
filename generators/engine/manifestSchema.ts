import { catalogueVersionPattern } from './manifest.ts';
import {
  type Catalogue,
  type CatalogueModule,
  ciProviders,
  conflictChoices,
  fieldTypes,
  packageManagers,
} from './model.ts';
import { offeredModules } from './resolve.ts';
import { mostFields, mostResources } from './resources/check.ts';
import {
  descriptionPattern,
  folderPattern,
  maximumDescriptionLength,
  maximumNameLength,
  maximumPatternLength,
  namePattern,
} from './names.ts';

/**
 * Creates the JSON Schema (2020-12) of `slipway.json` from the catalogue. Editors use it to complete module names and options.
 * @param catalogue all modules
 * @returns the schema
 */
export function manifestSchema(catalogue: Catalogue): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Slipway manifest',
    description: 'The desired state of a service. Edit it, then run `slipway check` to see what would change.',
    type: 'object',
    additionalProperties: false,
    required: ['version', 'catalogue', 'service', 'packageManager', 'ci', 'modules'],
    properties: {
      $schema: { type: 'string' },
      version: { const: catalogue.manifestVersion, description: 'Version of the shape of this file.' },
      catalogue: {
        type: 'string',
        pattern: catalogueVersionPattern.source,
        description: 'Version of the catalogue the service was last reconciled with.',
      },
      service: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'description'],
        properties: {
          name: { type: 'string', pattern: namePattern.source, maxLength: maximumNameLength },
          description: { type: 'string', pattern: descriptionPattern.source, maxLength: maximumDescriptionLength },
        },
      },
      packageManager: { enum: packageManagers },
      node: {
        type: 'object',
        description: 'Node from npm, for hosts whose own is too old.',
        additionalProperties: false,
        required: ['pinned'],
        properties: { pinned: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+$' } },
      },
      ci: { type: 'array', uniqueItems: true, items: { enum: ciProviders } },
      monorepo: {
        type: 'object',
        description: 'Where the service is in a repository with other projects; `slipway ci` finds it out.',
        additionalProperties: false,
        required: ['path'],
        properties: {
          path: { type: 'string', pattern: folderPattern.source, description: 'From the root of the repository.' },
          workspace: {
            type: 'string',
            pattern: `^\\.$|${folderPattern.source}`,
            description: 'The workspace with the lockfile, from the root of the repository; `.` for the root.',
          },
        },
      },
      modules: {
        type: 'object',
        description: 'Module id → its options where they differ from the default.',
        additionalProperties: false,
        properties: Object.fromEntries(offeredModules(catalogue).map((module) => [module.id, optionsSchema(module)])),
      },
      resources: {
        type: 'object',
        description: 'Resource, in kebab-case → its fields; `slipway resource` writes them.',
        maxProperties: mostResources,
        additionalProperties: resourceSchema,
      },
      platformTests: { const: true, description: 'The service also gets the tests of the platform’s code.' },
      ejected: {
        type: 'array',
        description: 'Files that Slipway no longer touches, and folders, which end with a slash.',
        uniqueItems: true,
        items: { type: 'string', minLength: 1 },
      },
      conflicts: {
        type: 'object',
        description:
          'What happens to conflicts: pattern of paths → choice. The last pattern that matches a file decides.',
        maxProperties: 100,
        propertyNames: { minLength: 1, maxLength: maximumPatternLength },
        additionalProperties: { enum: conflictChoices },
      },
    },
  };
}

const texts = { type: 'object', additionalProperties: { type: 'string' } };

const resourceSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['plural', 'fields', 'created'],
  properties: {
    plural: {
      type: 'string',
      description: 'In kebab-case. It names the folder, the path of the routes and the table.',
    },
    fields: {
      ...texts,
      description: `Name in camelCase → type and modifiers, such as "string:unique". Types: ${fieldTypes.join(', ')}.`,
    },
    states: {
      ...texts,
      description: 'An enum field → its transitions, such as "created>confirmed:confirm, confirmed>shipped:ship".',
    },
    sparse: { const: true, description: 'A caller of the list may ask for some fields only, with `fields`.' },
    created: { type: 'string', description: 'Date of the first migration, such as "20261130".' },
    changes: {
      type: 'object',
      description: 'Name of a later migration → what it changed. `slipway resource` writes it.',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          add: { type: 'array', uniqueItems: true, maxItems: mostFields, items: { type: 'string' } },
          drop: texts,
          rename: texts,
          alter: texts,
          name: { type: 'string' },
          plural: { type: 'string' },
        },
      },
    },
  },
};

function optionsSchema(module: CatalogueModule): Record<string, unknown> {
  return {
    type: 'object',
    description: module.summary,
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(module.options ?? {}).map(([name, option]) => [
        name,
        {
          description: option.summary,
          default: option.default,
          ...(option.type === 'boolean' ? { type: 'boolean' } : { enum: option.enum }),
        },
      ]),
    ),
  };
}
