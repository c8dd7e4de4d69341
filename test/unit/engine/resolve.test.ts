import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../generators/engine/manifest.ts';
import { addModules, listOf, parseProviders, removeModules, setOptions } from '../../../generators/engine/edit.ts';
import { modulesOf, requiresFault, withRequired } from '../../../generators/engine/resolve.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
const plain = newManifest({ name: 'orders' }, catalogue);

describe('modules', () => {
  it('come with what they require', () => {
    expect(withRequired(['outbox'], catalogue)).toEqual(['database', 'outbox']);
  });

  it('stand after what they require, whatever their names', () => {
    const manifest = addModules(plain, ['outbox', 'cache'], catalogue);
    expect(modulesOf(manifest, catalogue).map(({ id }) => id)).toEqual(['base', 'cache', 'database', 'outbox']);
  });

  it('that are misspelt get a suggestion', () => {
    expect(() => withRequired(['databse'], catalogue)).toThrow(
      expect.objectContaining({ message: 'there is no module "databse"', hint: 'did you mean "database"?' }),
    );
  });

  it.each(['__proto__', 'constructor', 'toString'])('are not found in an object’s prototype: %s', (id) => {
    expect(() => withRequired([id], catalogue)).toThrow(`there is no module "${id}"`);
  });

  it('that cannot be together are refused, naming both', () => {
    const manifest = { ...plain, modules: { cache: {}, memory: {} } };
    expect(() => modulesOf(manifest, catalogue)).toThrow('modules "memory" and "cache" cannot be together');
  });

  it('that are parts are refused, naming what brings them, also indirectly', () => {
    const part = (id: string, requires: readonly string[] = []) => ({
      ...catalogue.base,
      id,
      requires,
      part: true as const,
    });
    const { outbox, ...others } = catalogue.modules;
    const parts = { signing: part('signing'), hashing: part('hashing', ['signing']), paging: part('paging') };
    const modules = {
      ...others,
      ...parts,
      ...(outbox && { outbox: { ...outbox, requires: ['database', 'hashing'] } }),
    };
    const hintOf = (id: string, hint: string): void =>
      expect(() => withRequired([id], { ...catalogue, modules })).toThrow(
        expect.objectContaining({ message: `"${id}" is a part of other modules and cannot be asked for`, hint }),
      );
    hintOf('hashing', 'add one that has it: outbox');
    hintOf('signing', 'add one that has it: outbox');
    hintOf('paging', 'it comes with a resource that needs it: slipway resource --help');
  });

  it('without what they require are refused', () => {
    expect(() => modulesOf({ ...plain, modules: { outbox: {} } }, catalogue)).toThrow(
      'module "outbox" requires "database"',
    );
  });

  it('that others require cannot be removed alone', () => {
    const manifest = addModules(plain, ['outbox'], catalogue);
    expect(() => removeModules(manifest, ['database'], catalogue)).toThrow(
      expect.objectContaining({ exitCode: 3, hint: 'remove all of them: slipway remove database outbox' }),
    );
    expect(removeModules(manifest, ['outbox', 'database'], catalogue).modules).toEqual({});
  });

  it('that others require are removed with all of these, which the error lists', () => {
    const { outbox, ...others } = catalogue.modules;
    const deeper = {
      ...catalogue,
      modules: { ...others, ...(outbox && { outbox, relay: { ...outbox, id: 'relay', requires: ['outbox'] } }) },
    };
    expect(() => removeModules(addModules(plain, ['relay'], deeper), ['database'], deeper)).toThrow(
      expect.objectContaining({
        message: 'modules "outbox", "relay" require "database"',
        hint: 'remove all of them: slipway remove database outbox relay',
      }),
    );
  });

  it.each([
    ['a circle', { database: ['outbox'] }, 'modules require each other in a circle: database → outbox → database'],
    ['a circle of parts', { hashing: ['signing'], signing: ['hashing'] }, 'in a circle: hashing → signing → hashing'],
    ['a module that requires itself', { hashing: ['hashing'] }, 'in a circle: hashing → hashing'],
    [
      'a module that is not there',
      { cache: ['nope'] },
      'module "cache" requires "nope", which is not in the catalogue',
    ],
  ])('are damaged by %s', (_, requires: Readonly<Record<string, string[]>>, fault) => {
    const changed = Object.entries(requires).map(([id, required]) => {
      const module = catalogue.modules[id] ?? { ...catalogue.base, id, part: true as const };
      return [id, { ...module, requires: required }] as const;
    });
    expect(requiresFault({ ...catalogue.modules, ...Object.fromEntries(changed) })).toContain(fault);
    expect(requiresFault(catalogue.modules)).toBeUndefined();
  });

  it('that are not there cannot be removed', () => {
    expect(() => removeModules(plain, ['cache'], catalogue)).toThrow('module "cache" is not in this service');
  });
});

describe('options', () => {
  const manifest = addModules(plain, ['database'], catalogue);

  it('are kept only where they differ from the default', () => {
    const older = setOptions(manifest, ['database.version=17'], catalogue);
    expect(older.modules).toEqual({ database: { version: '17' } });
    expect(setOptions(older, ['database.version=18'], catalogue).modules).toEqual({ database: {} });
  });

  it.each([
    ['database.version', '--set takes module.option=value'],
    ['cache.size=1', 'module "cache" is not in this service'],
    ['database.versoin=17', 'module "database" has no option "versoin"'],
    ['database.version=12', 'database.version takes 17, 18; given: 12'],
    ['database.__proto__=1', 'module "database" has no option "__proto__"'],
  ])('%s is refused', (setting, message) => {
    expect(() => setOptions(manifest, [setting], catalogue)).toThrow(message);
  });
});

describe('lists on the command line', () => {
  it('name CI providers in any order, once each', () => {
    expect(parseProviders('gitlab, github,gitlab')).toEqual(['github', 'gitlab']);
    expect(parseProviders('none')).toEqual([]);
    expect(() => parseProviders('githab')).toThrow('there is no CI provider "githab"');
  });

  it('may be empty', () => {
    expect(listOf('none')).toEqual([]);
    expect(listOf(' a,,b ')).toEqual(['a', 'b']);
  });
});
