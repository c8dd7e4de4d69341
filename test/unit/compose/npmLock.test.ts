import fc from 'fast-check';
import stringifyNice from 'json-stringify-nice';
import { expect, it } from 'vitest';
import { printNpmLock } from '../../../generators/engine/packageManagers/npmLock.ts';

const first = ['name', 'version', 'lockfileVersion', 'resolved', 'integrity', 'requires', 'packages', 'dependencies'];
const key = fc.oneof(
  fc.constantFrom(...first, 'dev', 'devOptional', 'optional', 'node_modules/a', 'node_modules/@a/b', 'é'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 6 }).filter((text) => text !== '__proto__'),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(1, 'text', true, null),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

it('a lockfile is printed as npm’s own library prints it', () => {
  fc.assert(
    fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (lock) => {
      expect(printNpmLock(lock, 2)).toBe(stringifyNice(lock, first, 2));
    }),
  );
});
