import { expect, it } from 'vitest';
import { newManifest } from '../../../../generators/engine/manifest.ts';
import { validateManifest } from '../../../../generators/engine/parseManifest.ts';
import { render } from '../../../../generators/engine/render.ts';
import { namesOf, resourceNameFault } from '../../../../generators/engine/resources/names.ts';
import { isPlural } from '../../../../generators/engine/resources/plural.ts';
import { decode } from '../../../../generators/engine/text.ts';
import { buildCatalogue } from '../../../../templates/build.ts';

const catalogue = await buildCatalogue();

/** Files of the slice that give the name of the resource to a variable. */
const withVariable = ['domain.ts', 'domain.test.ts', 'service.ts'];

/** The code of a slice with all that a resource can have, without its comments. */
function slice(): [name: string, text: string][] {
  const fields = {
    code: 'string:unique',
    secret: 'string?:private',
    amount: 'decimal:min(0)',
    due: 'datetime?',
    kind: 'enum(small,large):default(small)',
    status: 'enum(open,closed)',
    parent: 'ref(widget)?',
  };
  const widget = { plural: 'widgets', fields, states: { status: 'open>closed:close' }, created: '20261130' };
  const manifest = { ...newManifest({ name: 'shop', modules: [] }, catalogue), resources: { widget } };
  return [...render(validateManifest(manifest, catalogue), catalogue)].flatMap(([path, { bytes }]) => {
    const [, name] = /^internal\/widgets\/(.+)$/.exec(path) ?? [];
    return name === undefined ? [] : [[name, (decode(bytes) ?? '').replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')]];
  });
}

/** The names that a file imports and declares, besides those that contain the name of the resource. */
function boundIn(text: string): string[] {
  const lists = [...text.matchAll(/^(?:import|\s*const) (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = '']) =>
    list.split(','),
  );
  const declared = [...text.matchAll(/^\s*(?:const|function) (\w+)/gm)].map(([, name = '']) => name);
  const parameters = [...text.matchAll(/^export function \w+\(([^)]*)\)/gm)].flatMap(([, list = '']) =>
    list.split(',').map((each) => each.split(':')[0] ?? ''),
  );
  return [...lists, ...declared, ...parameters]
    .map((name) => name.replace('type ', '').trim())
    .filter((name) => name !== '' && !/widget/i.test(name));
}

it('a resource whose name a file of its slice gives to something else is refused', () => {
  const files = slice();
  expect(files.map(([name]) => name)).toEqual(expect.arrayContaining([...withVariable, 'routes.ts', 'module.ts']));
  const allowed = files.flatMap(([file, text]) =>
    boundIn(text)
      .filter((name) => /^[A-Z]/.test(name) || withVariable.includes(file))
      .map((name) => namesOf(name).kebab)
      .filter((name) => !isPlural(name) && resourceNameFault(name) === undefined)
      .map((name) => `${file}: ${name}`),
  );
  expect(allowed).toEqual([]);
});
