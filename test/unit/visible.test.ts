import { describe, expect, it } from 'vitest';
import colors from '../../generators/report/colors.ts';
import { visible, visibleJson } from '../../generators/report/visible.ts';

const controls = Array.from({ length: 32 }, (_, code) => String.fromCodePoint(code)).join('');
const hostile = `${controls}\u007F\u0085\u009B31m\u200B\u200D\u2028\u202E\u2066\uFEFF\u{E0041}\uD800x`;

describe('visible', () => {
  it('leaves tabs and line ends, and escapes every other character that is not visible', () => {
    expect(visible('a\tb\nc\r\nd – “é” 文 🚢')).toBe('a\tb\nc\r\nd – “é” 文 🚢');
    expect(visible('a\rb\u001B[31m\u009B\u202E\u2028\uD800\u{E0041}')).toBe(
      String.raw`a\u{d}b\u{1b}[31m\u{9b}\u{202e}\u{2028}\u{d800}\u{e0041}`,
    );
    expect(visible(hostile)).toMatch(/^[\t\n\x20-\x7E]*$/);
  });

  it('lets the colours of Slipway through, and no others', () => {
    const shown = visible(colors.red('\u001B[32mgreen'));
    expect([String.raw`\u{1b}[32mgreen`, '\u001B[31m\\u{1b}[32mgreen\u001B[39m']).toContain(shown);
  });
});

describe('visibleJson', () => {
  it('prints the same value, in visible characters', () => {
    const value = { [hostile]: [hostile, 'é 文 🚢'] };
    const json = visibleJson(value);
    expect(JSON.parse(json)).toEqual(value);
    expect(json).toMatch(/^[\n\x20-\x7Eé文🚢]*$/u);
  });
});
