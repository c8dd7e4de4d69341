import { placeOf } from '../../../generators/engine/manifest.ts';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Handlebars from 'handlebars';
import { format } from 'oxfmt';
import { describe, expect, it } from 'vitest';
import { type PackageManager, packageManagers } from '../../../generators/engine/model.ts';
import { packageManagerDefinitions } from '../../../generators/engine/packageManagers/index.ts';
import { renderTemplate, type TemplateContext } from '../../../generators/engine/template.ts';
import { parseTemplate } from '../../../templates/parseTemplate.ts';

const templates = path.resolve(import.meta.dirname, '../../../templates');
const files = globSync('{base,modules/*}/files/**/{.*.hbs,*.hbs}', { cwd: templates, exclude: ['node_modules'] });
const handlebars = Handlebars.create();
handlebars.registerHelper('eq', (a: unknown, b: unknown) => a === b);

const contextOf = (packageManager: PackageManager): TemplateContext => ({
  service: { name: 'orders', description: 'It costs $& and <b>' },
  pm: packageManagerDefinitions[packageManager],
  place: placeOf({}),
  node: { version: '26.12.1' },
  versions: { 'openapi-fetch': '^0.17.0' },
  options: { version: '17' },
});

const render = (text: string, context: object = contextOf('npm')): string =>
  renderTemplate(parseTemplate(text, 'a.hbs'), context);

/** What only the templates of resources use. Handlebars has no `fit`. */
const resource = {
  name: 'order',
  states: false,
  fields: [
    { name: 'sku', type: 'string', values: [] },
    { name: 'status', type: 'enum', values: ['a', 'b'] },
  ],
  types: { ts: { string: 'string', enum: 'Status' } },
  none: [],
};
handlebars.registerHelper({
  and: (a: unknown, b: unknown) => Boolean(a) && Boolean(b),
  or: (a: unknown, b: unknown) => Boolean(a) || Boolean(b),
  not: (a: unknown) => !a,
  json: (value: unknown) => JSON.stringify(value),
});

describe('templates of resources', () => {
  it.each([
    ['{{#each fields}}{{name}}{{#unless @last}}, {{/unless}}{{/each}}', 'sku, status'],
    ['{{#each fields}}\n{{@index}} {{this.name}}\n{{/each}}\n', '0 sku\n1 status\n'],
    ['{{#each fields}}{{#if values}}{{#each values}}{{this}}{{#if @first}}-{{/if}}{{/each}}{{/if}}{{/each}}', 'a-b'],
    [
      '{{#each fields as |field|}}{{#each field.values as |value|}}{{field.name}}.{{value}} {{/each}}{{/each}}',
      'status.a status.b ',
    ],
    ['{{#each none}}x{{else}}none{{/each}}', 'none'],
    ['{{#if none}}x{{else}}none{{/if}}', 'none'],
    ["{{lookup (lookup types 'ts') 'enum'}}", 'Status'],
    ['{{#if (and name (not states))}}yes{{/if}}{{#if (or states (eq name "x"))}}no{{/if}}', 'yes'],
    ['{{json types.ts}} {{json name}}', '{"string":"string","enum":"Status"} "order"'],
    ['{{#if (eq fields.length 2)}}two{{/if}}', 'two'],
  ])('%j gives %j, as in Handlebars', (text, expected) => {
    expect(render(text, resource)).toBe(expected);
    expect(handlebars.compile(text, { noEscape: true })(resource)).toBe(expected);
  });

  it('find outer names in a list, and those of the item first', () => {
    expect(render("{{#each fields}}{{name}} {{lookup (lookup types 'ts') type}} {{/each}}{{name}}", resource)).toBe(
      'sku string status Status order',
    );
  });

  it.each([
    ['plain', "'plain'"],
    ["it's", `"it's"`],
    [`say "it's"`, String.raw`'say "it\'s"'`],
    ['a\nb\\', String.raw`'a\nb\\'`],
    ['', "''"],
  ])('quote %j as the formatter does', async (text, expected) => {
    expect(render('{{quote text}}', { text })).toBe(expected);
    const source = `const a = ${expected};\n`;
    expect((await format('a.ts', source, { singleQuote: true })).code).toBe(source);
  });

  it('end lines where the formatter ends them', async () => {
    const list = '{{#each names}}{{#unless @first}},{{line}}{{/unless}}{{this}}{{/each}}{{comma}}';
    const template = [
      `import {{#fit}}{{"{"}}{{line}}${list}{{close}}{{"}"}}{{/fit}} from 'x';`,
      '',
      'export function start(): void {',
      `  call({{#fit}}{{soft}}first,{{line}}nested({{#fit}}{{soft}}${list}{{dedent}}{{/fit}}),{{line}}last{{comma}}{{dedent}}{{/fit}});`,
      `  const made = [{{#fit}}{{soft}}${list}{{dedent}}{{/fit}}];`,
      '}',
      '',
    ].join('\n');
    for (let length = 1; length < 24; length += 1) {
      const names = Array.from({ length }, (_, index) => `name${index}`);
      const text = render(template, { names });
      expect((await format('a.ts', text, { singleQuote: true, printWidth: 120 })).code).toBe(text);
    }
  });
});

describe('templates', () => {
  it('are there', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  it.each(files)('%s renders as Handlebars itself renders it', (file) => {
    const text = readFileSync(path.join(templates, file), 'utf8');
    for (const packageManager of packageManagers) {
      const context = contextOf(packageManager);
      const expected = handlebars.compile(text, { strict: true, noEscape: true })(context);
      expect(render(text, context)).toBe(expected);
    }
  });

  it.each([
    ['a {{service.name}} b', 'a orders b'],
    ['{{service.description}}', 'It costs $& and <b>'],
    ['{{#if (eq pm.name "npm")}}\nyes\n{{else}}\nno\n{{/if}}\n', 'yes\n'],
    ['{{#unless (eq pm.name "npm")}}no{{else}}yes{{/unless}}', 'yes'],
    ['{{! a comment }}x', 'x'],
    ['\\{{service.name}}', '{{service.name}}'],
    ['$' + '{{ github.ref }}'.replace('{{', '\\{{'), '$\\{{ github.ref }}'.replace('\\', '')],
  ])('%j gives %j, as in Handlebars', (text, expected) => {
    expect(render(text)).toBe(expected);
    expect(handlebars.compile(text, { strict: true, noEscape: true })(contextOf('npm'))).toBe(expected);
  });

  it.each([
    ['{{service.nam}}', 'a template names service.nam, which is not there'],
    ['{{constructor}}', 'which is not there'],
    ['{{#each options}}x{{/each}}', 'a template takes options for a list'],
    ['{{#each list}}{{nothing}}{{/each}}', 'a template names nothing, which is not there'],
    ['{{#with options}}x{{/with}}', 'a.hbs:1: the block "with" is not understood'],
    ['{{@root}}', 'the path "@root" is not understood'],
    ['{{@first}}', 'a template names @first, which is not there'],
    ['{{soft}}', 'a template names soft, which is not there'],
    ['{{#fit options}}x{{/fit}}', 'the block "fit" is not understood'],
    ['{{lookup options "vers"}}', 'a template looks up "vers", which is not there'],
    [
      '{{#each a}}{{#each a}}{{#each a}}{{#each a}}x{{/each}}{{/each}}{{/each}}{{/each}}',
      'prints more than 1000000 parts',
    ],
    ['\n{{> partial}}', 'a.hbs:2: PartialStatement is not understood'],
    ['{{upper a}}', 'the helper "upper" with 1 values is not understood'],
    ['{{lookup a}}', 'the helper "lookup" with 1 values is not understood'],
    ['{{../service}}', 'is not understood'],
    ['{{#if x}}', 'Parse error'],
  ])('%j is refused', (text, message) => {
    expect(() =>
      render(text, { ...contextOf('npm'), list: [1], a: Array.from({ length: 40 }, (_, index) => index) }),
    ).toThrow(message);
  });
});
