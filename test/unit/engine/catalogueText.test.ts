import { describe, expect, it } from 'vitest';
import { newManifest } from '../../../generators/engine/manifest.ts';
import type { Catalogue } from '../../../generators/engine/model.ts';
import { parseCatalogue, printCatalogue } from '../../../generators/engine/catalogueText.ts';
import { render } from '../../../generators/engine/render.ts';
import { encode } from '../../../generators/engine/text.ts';
import { text, tinyCatalogue } from '../../helpers/tinyCatalogue.ts';

const catalogue = tinyCatalogue();
/** No text holds functions. */
const { printers, ...data } = catalogue;

describe('a catalogue as text', () => {
  it('is read back as it was', () => {
    const odd = { ...data, version: '12 – “twelve” 🚢', base: { ...data.base, files: [text('a.md', '– “a” 🚢\n')] } };
    expect(parseCatalogue(encode(printCatalogue({ ...odd, printers })), 'text')).toEqual(odd);
  });

  it('is parsed only where its contents are asked for', () => {
    const unread = catalogue.modules['outbox']?.files[0];
    const content = unread !== undefined && 'text' in unread ? encode(unread.text) : encode('');
    const bytes = Buffer.from(printCatalogue(catalogue));
    const at = bytes.indexOf(content);
    expect(at).toBeGreaterThan(-1);
    // No text in UTF-8 has this byte. Last is the lockfile of Yarn, and the service uses npm.
    bytes[at] = 0xff;
    bytes[bytes.length - 1] = 0xff;
    const parsed = Object.assign(parseCatalogue(bytes, 'the text') as Catalogue, { printers });

    const service = (...modules: string[]) => render(newManifest({ name: 'orders', modules }, parsed), parsed);
    expect(service('cache').size).toBeGreaterThan(0);
    expect(() => service('database', 'outbox')).toThrow('the catalogue the text is not text');
  });

  it.for([
    ['a byte too few', (whole: string) => whole.slice(0, -1)],
    ['a byte too many', (whole: string) => `${whole}\n`],
    ['no contents', (whole: string) => whole.slice(0, whole.indexOf('\n'))],
    ['a size that is none', (whole: string) => whole.replace(/"text":\d+/, '"text":-1')],
    ['a text in place of a size', (whole: string) => whole.replace(/"text":\d+/, '"text":"1"')],
  ] as const)('with %s is refused', ([, change]) => {
    const bytes = encode(change(printCatalogue(catalogue)));
    expect(() => parseCatalogue(bytes, 'the text')).toThrow('the text is not whole');
  });
});
