import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../generators/engine/manifest.ts';
import type { Catalogue } from '../../../generators/engine/model.ts';
import { parseCatalogue, printCatalogue } from '../../../generators/engine/catalogueText.ts';
import { render } from '../../../generators/engine/render.ts';
import { encode } from '../../../generators/engine/text.ts';
import { tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
/** No text holds functions. */
const { printers, ...data } = catalogue;

describe('a catalogue as text', () => {
  it('is read back as it was, in ASCII', () => {
    const text = printCatalogue({ ...catalogue, version: '12 – “twelve” 🚢' });
    expect(text).toMatch(/^\p{ASCII}*$/u);
    expect(parseCatalogue(encode(text), 'text')).toEqual({ ...data, version: '12 – “twelve” 🚢' });
  });

  it('is parsed only where its files are asked for', () => {
    const [first, ...files] = printCatalogue(catalogue).trimEnd().split('\n');
    const unread = Object.keys(catalogue.modules).indexOf('outbox');
    expect(unread).toBeGreaterThan(-1);
    // Last is the lockfile of Yarn, and the service uses npm.
    const text = [first, ...files.with(unread, '{ "cut').with(files.length - 1, '" cut')].join('\n');
    const parsed = Object.assign(parseCatalogue(encode(text), 'the text') as Catalogue, { printers });

    const service = (...modules: string[]) => render(newManifest({ name: 'orders', modules }, parsed), parsed);
    expect(service('cache').size).toBeGreaterThan(0);
    expect(() => service('database', 'outbox')).toThrow('the catalogue the text is not JSON');
  });

  it('with a line too few is refused', () => {
    const text = printCatalogue(catalogue).trimEnd();
    expect(() => parseCatalogue(encode(text.slice(0, text.lastIndexOf('\n'))), 'the text')).toThrow(
      'the text is not whole',
    );
  });
});
