import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { toYaml } from '../../../generators/engine/compose/yaml.ts';
import { runs } from '../../helpers/runs.ts';

const awkward = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...Array.from('-?:,[]{}#&*!|>\'"%@`~ \n\t.0xeE+nuld')), maxLength: 6 }),
);
const data = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, tie('scalar'), tie('list'), tie('members')),
  scalar: fc.oneof(
    awkward,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ),
  list: fc.array(tie('value'), { maxLength: 4 }),
  members: fc.dictionary(awkward, tie('value'), { maxKeys: 4, noNullPrototype: true }),
})).value;

it('what is printed is read as what it was, in YAML 1.2', () => {
  fc.assert(
    fc.property(data, (value) => {
      expect(parse(toYaml(value), { intAsBigInt: false })).toEqual(JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: runs(2000) },
  );
});

it('looks as one would write it', () => {
  const text = toYaml(
    {
      on: ['push', '1.0', '--flag'],
      none: {},
      jobs: [{ run: "npm test: 'all'", env: undefined }, [['a']]],
      last: null,
    },
    ['Says what it is'],
  );
  expect(text).toMatchInlineSnapshot(`
    "# Says what it is
    on:
      - push
      - '1.0'
      - --flag
    none: {}
    jobs:
      - run: 'npm test: ''all'''
      - - - a
    last: null
    "
  `);
});
