import { expect, it } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { hal, prefersHal } from './mediaType.ts';

it.each([
  [hal],
  ['Application/HAL+JSON'],
  [`${hal}, application/json;q=0.9, */*;q=0.1`],
  [`${hal}, */*`],
  [`text/html, ${hal};q=0.1`],
])('"%s" asks for HAL', (accept) => {
  expect(prefersHal(accept)).toBe(true);
});

it.each([
  [undefined],
  [''],
  ['*/*'],
  ['application/*'],
  ['text/html'],
  [`application/json, ${hal}`],
  [`application/json, ${hal};q=0.9`],
  [`application/json;q=0.1, ${hal};q=0`],
  [`${hal};q=high`],
  [`,;=${hal};;q==,"`],
  [hal.repeat(500)],
  // Longer than anybody needs, and dear to negotiate.
  [`${hal}${', a/b;q=0.1'.repeat(100)}`],
])('"%.60s" does not', (accept) => {
  expect(prefersHal(accept)).toBe(false);
});

it('no header is too odd for an answer', () => {
  const random = randomFrom(7);
  const parts = [
    hal,
    'application/json',
    '*/*',
    ';q=',
    '0.5',
    ',',
    ';',
    '"',
    '\\',
    '=',
    ' ',
    '\t',
    '__proto__',
    '(',
    '1e9',
  ];
  for (let round = 0; round < 1000; round += 1) {
    const accept = Array.from({ length: random.upTo(20) }, () => random.pick(parts)).join('');
    expect(prefersHal(accept)).toBeTypeOf('boolean');
  }
});
