import { placeOf } from '../../../generators/engine/manifest.ts';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Handlebars from 'handlebars';
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

const render = (text: string, context = contextOf('npm')): string =>
  renderTemplate(parseTemplate(text, 'a.hbs'), context);

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
    ['{{#each options}}x{{/each}}', 'a.hbs:1: the block "each" is not understood'],
    ['\n{{> partial}}', 'a.hbs:2: PartialStatement is not understood'],
    ['{{lookup a b}}', 'the helper "lookup" is not understood'],
    ['{{../service}}', 'is not understood'],
    ['{{#if x}}', 'Parse error'],
  ])('%j is refused', (text, message) => {
    expect(() => render(text)).toThrow(message);
  });
});
