import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { SlipwayError } from '../../../generators/engine/errors.ts';
import { newManifest } from '../../../generators/engine/manifest.ts';
import { manifestSchema } from '../../../generators/engine/manifestSchema.ts';
import { parseManifest } from '../../../generators/engine/parseManifest.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
const manifest = newManifest({ name: 'orders', modules: ['database'] }, catalogue);

function faultOf(change: Record<string, unknown>): string {
  return thrown(JSON.stringify({ ...manifest, ...change })).message;
}

function thrown(text: string): SlipwayError {
  try {
    parseManifest(text, catalogue);
  } catch (error) {
    if (error instanceof SlipwayError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a manifest', () => {
  it('is read back as it was made', () => {
    expect(parseManifest(JSON.stringify(manifest), catalogue)).toEqual(manifest);
  });

  it('may start with a byte order mark', () => {
    expect(parseManifest(`\uFEFF${JSON.stringify(manifest)}`, catalogue)).toEqual(manifest);
  });

  it('has a schema that a stricter validator accepts, and that accepts it', () => {
    const validate = new Ajv2020({ strict: true, strictTypes: false }).compile(manifestSchema(catalogue));
    expect(validate(manifest)).toBe(true);
    expect(validate({ ...manifest, colour: 'red' })).toBe(false);
  });

  it.each([
    [{ modulse: {} }, '/modulse: unknown key "modulse" (did you mean "modules"?)'],
    [{ modules: { databas: {} } }, '/modules/databas: unknown key "databas" in /modules (did you mean "database"?)'],
    [
      { modules: { database: { versoin: '18' } } },
      '/modules/database/versoin: unknown key "versoin" in /modules/database (did you mean "version"?)',
    ],
    [{ service: { ...manifest.service, name: 7 } }, '/service/name: '],
    [{ service: { ...manifest.service, name: 'null' } }, '/service/name: "null" means something else'],
    [{ service: { ...manifest.service, description: 'two\nlines' } }, '/service/description: '],
    [{ packageManager: 'deno' }, '/packageManager: '],
    [{ modules: { database: { version: '12' } } }, '/modules/database/version: '],
    [{ ci: ['github', 'github'] }, '/ci: '],
    [{ modules: [] }, '/modules: '],
    [{ version: 0 }, '/version: '],
  ])('with %j is refused, naming the place', (change, message) => {
    expect(faultOf(change)).toContain(message);
  });

  it('names all its faults at once', () => {
    const message = faultOf({ modulse: {}, packageManager: 'deno' });
    expect(message).toContain('/modulse');
    expect(message).toContain('/packageManager');
  });

  it('of a newer version says how to go on', () => {
    const error = thrown(JSON.stringify({ ...manifest, version: 9 }));
    expect(error.message).toBe('slipway.json has version 9; this Slipway understands up to 1');
    expect(error.hint).toContain('create-slipway@latest');
    expect(error.exitCode).toBe(2);
  });

  it('that is not JSON says where', () => {
    expect(thrown('{ "version": 1,, }').message).toContain('slipway.json is not JSON');
  });

  it.each(['null', '[]', '"orders"', '7'])('that is %s is refused', (text) => {
    expect(thrown(text).exitCode).toBe(2);
  });
});
