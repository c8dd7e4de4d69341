import { expect, it } from 'vitest';
import { withRequired } from '../../../../generators/engine/resolve.ts';
import { newManifest } from '../../../../generators/engine/manifest.ts';
import { validateManifest } from '../../../../generators/engine/parseManifest.ts';
import { render } from '../../../../generators/engine/render.ts';
import { namesOf, resourceNameFault } from '../../../../generators/engine/resources/names.ts';
import { isPlural, singularOf } from '../../../../generators/engine/resources/plural.ts';
import { decode } from '../../../../generators/engine/text.ts';
import { buildCatalogue } from '../../../../templates/build.ts';

const catalogue = await buildCatalogue();

/** Files of the slice that give the name of the resource to a variable. */
const withVariable = ['domain.ts', 'domain.test.ts', 'service.ts'];

const modules = withRequired(['auth', 'grpc', 'hal', 'postgres', 'websocket'], catalogue);

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
  const widget = {
    plural: 'widgets',
    fields,
    states: { status: 'open>closed:close' },
    sparse: true as const,
    created: '20261130',
  };
  const manifest = { ...newManifest({ name: 'shop', modules }, catalogue), resources: { widget } };
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

/** Whether a file imports or declares the type of the entity itself. */
function bindsEntity(text: string): boolean {
  return /^(?:import|export) [^;]*\bWidget\b/m.test(text);
}

it('a resource whose name a file of its slice gives to something else is refused', () => {
  const files = slice();
  expect(files.map(([name]) => name)).toEqual(expect.arrayContaining([...withVariable, 'routes.ts', 'module.ts']));
  const allowed = files.flatMap(([file, text]) =>
    boundIn(text)
      .filter((name) => (/^[A-Z]/.test(name) && bindsEntity(text)) || withVariable.includes(file))
      .map((name) => namesOf(name).kebab)
      .filter((name) => !isPlural(name) && resourceNameFault(name) === undefined)
      .map((name) => `${file}: ${name}`),
  );
  expect(allowed).toEqual([]);
});

it('a resource whose plural a file imports, beside the module of the resource, is refused', () => {
  const files = slice().filter(([, text]) => text.includes("from './module.ts'"));
  expect(files.map(([name]) => name)).toEqual(expect.arrayContaining(['grpc.ts', 'websocket.ts']));
  const allowed = files.flatMap(([file, text]) =>
    boundIn(text)
      .map((name) => namesOf(name).kebab)
      .filter((name) => isPlural(name) && resourceNameFault(singularOf(name)) === undefined)
      .map((name) => `${file}: ${name}`),
  );
  expect(allowed).toEqual([]);
});
