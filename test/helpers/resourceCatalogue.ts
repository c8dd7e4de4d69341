import { type Catalogue, fieldTypes, type ResourceFile } from '../../generators/engine/model.ts';
import { parseTemplate } from '../../templates/parseTemplate.ts';
import { tinyCatalogue } from './tinyCatalogue.ts';

function file(path: string, content: string, ownership: ResourceFile['ownership'] = 'merged'): ResourceFile {
  return { path: parseTemplate(path, path), ownership, template: parseTemplate(content, path) };
}

/** The resource of a preset. */
const tag = { plural: 'tags', fields: { name: 'string:unique' }, created: '20261130' };

const folder = 'internal/{{resource.plural.kebab}}';

/**
 * @returns the tiny catalogue with templates of resources: in the base, and in the module `database`, which replaces the storage and
 * adds migrations
 */
export function resourceCatalogue(): Catalogue {
  const catalogue = tinyCatalogue();
  const { database } = catalogue.modules;
  if (database === undefined) throw new Error('the tiny catalogue has a database');
  return {
    ...catalogue,
    presets: { ...catalogue.presets, tagged: { summary: 'with tags', modules: [], resources: { tag } } },
    base: {
      ...catalogue.base,
      resource: {
        files: [
          file(
            `${folder}/domain.ts`,
            'export interface {{resource.pascal}} {\n' +
              "{{#each resource.fields}}\n  {{name}}{{#if optional}}?{{/if}}: {{lookup (lookup types 'ts') type}}{{#if list}}[]{{/if}};\n{{/each}}\n}\n",
          ),
          file(
            `${folder}/module.ts`,
            "import { storage } from './storage.ts';\n\nexport const {{resource.plural.camel}} = { storage };\n",
          ),
          file(`${folder}/storage.ts`, "export const storage = 'memory of {{resource.plural.words}}';\n"),
          file(
            'docs/resources/{{resource.kebab}}.md',
            '# {{resource.words}}{{#if has.database}} in a database{{/if}}\n',
          ),
          file(`${folder}/sparse.ts`, '{{#if resource.sparse}}fields\n{{/if}}'),
          file(`${folder}/states.ts`, '{{#if resource.states}}{{json resource.states.transitions}}\n{{/if}}'),
        ],
        types: {
          ts: {
            ...{ string: 'string', text: 'string', email: 'string', url: 'string', int: 'number', bigint: 'string' },
            ...{ decimal: 'string', boolean: 'boolean', date: 'string', datetime: 'string', uuid: 'string' },
            ...{ json: 'unknown', enum: 'string', ref: 'string' },
          },
        },
        contract: parseTemplate(
          '{ "paths": { "/{{resource.plural.kebab}}": { "get": { "operationId": "list{{resource.plural.pascal}}" } } }, ' +
            '"components": { "schemas": { "{{resource.pascal}}": {}, "{{resource.pascal}}List": {} } } }',
          'contract.json.hbs',
        ),
        lists: {
          'internal/resources.gen.ts': {
            list: 'resources',
            export: parseTemplate('{{resource.plural.camel}}', 'lists.json'),
            from: parseTemplate('./{{resource.plural.kebab}}/module.ts', 'lists.json'),
          },
        },
      },
    },
    modules: {
      ...catalogue.modules,
      database: {
        ...database,
        resource: {
          files: [
            file(`${folder}/storage.ts`, "export const storage = 'table {{resource.plural.snake}}';\n"),
            file(
              'internal/migrations/{{change.name}}.ts',
              '{{change.plural.snake}}{{#if change.former}} was {{change.former.snake}}{{/if}}\n' +
                '{{#each change.add}}\nadd {{snake}} {{lookup types.sql type}}{{#if target}} {{target.plural.snake}}{{#if target.later}} later{{/if}}{{/if}}\n{{/each}}\n' +
                '{{#each change.drop}}\ndrop {{snake}}\n{{/each}}\n' +
                '{{#each change.rename}}\nrename {{from.snake}} {{to.snake}}\n{{/each}}\n' +
                '{{#each change.alter}}\nalter {{before.snake}} {{before.type}} {{after.type}}\n{{/each}}\n' +
                '{{#each change.awaited}}\nawaited {{plural.snake}} {{field.snake}}\n{{/each}}',
              'seed',
            ),
          ],
          types: { sql: { ...Object.fromEntries(fieldTypes.map((type) => [type, type])) } },
          lists: {},
        },
      },
    },
  };
}
