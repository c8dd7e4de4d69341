import fc from 'fast-check';
import { fieldNameOf } from '../../generators/engine/resources/names.ts';
import { type Field, type FieldType, fieldTypes, type Manifest, type Resource } from '../../generators/engine/model.ts';

type Resources = NonNullable<Manifest['resources']>;

const word = fc.stringMatching(/^[a-z]{3,8}$/);

/** Names of fields that are no reserved word: they end with a digit. */
export const fieldName = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.nat(9))
  .map(([words, digit]) =>
    [words[0], ...words.slice(1).map((each) => each.charAt(0).toUpperCase() + each.slice(1)), digit].join(''),
  );

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('a(b', ')', '"', String.raw`\(`, '(a)'),
);
const storable = text.filter((each) => !each.includes('\0') && !/\p{Cs}/u.test(each));
const int = fc.maxSafeInteger();
const decimal = fc
  .tuple(fc.boolean(), fc.nat(99_999), fc.nat(999))
  .map(([minus, whole, part]) => {
    const digits = `${whole}.${String(part).padStart(3, '0')}`.replace(/\.?0+$/, '') || '0';
    const number = digits.includes('.') || part === 0 ? digits : String(whole);
    return minus && number !== '0' ? `-${number}` : number;
  })
  .filter((each) => /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/.test(each));
const date = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });

/** Canonical values of each type that a default may have. */
const values: Readonly<Record<FieldType, fc.Arbitrary<unknown>>> = {
  string: storable.filter((each) => each !== ''),
  text: storable,
  email: word.map((each) => `${each}@example.com`),
  url: word.map((each) => `https://example.com/${each}`),
  int,
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  decimal,
  boolean: fc.boolean(),
  date: date.map((each) => each.toISOString().slice(0, 10)),
  datetime: date.map((each) => each.toISOString()),
  uuid: fc.uuid(),
  json: fc
    .jsonValue({ maxDepth: 2 })
    .map((each): unknown => JSON.parse(JSON.stringify(each)))
    .filter((each) => !/\\u0000|\\ud[89a-f]|__proto__/.test(JSON.stringify(each))),
  enum: fc.constantFrom('red'),
  ref: fc.constant(undefined),
};

/** Bounds that hold for each default of `values`. */
const bounds: Readonly<Partial<Record<FieldType, readonly [number | string, number | string]>>> = {
  string: [1, 100],
  text: [0, 5000],
  int: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  bigint: [String(-(2n ** 63n)), String(2n ** 63n - 1n)],
  decimal: ['-99999.999', '99999.999'],
  date: ['0001-01-01', '9999-12-31'],
  datetime: ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'],
};

/**
 * @param targets names of resources that a ref may refer to
 * @returns fields of every type with modifiers that fit it
 */
export function fieldArbitrary(targets: readonly string[] = ['customer']): fc.Arbitrary<Field> {
  return fc
    .record({
      name: fieldName,
      type: fc.constantFrom(...fieldTypes.filter((type) => type !== 'ref' || targets.length > 0)),
      marks: fc.record({
        list: fc.boolean(),
        optional: fc.boolean(),
        unique: fc.boolean(),
        indexed: fc.boolean(),
        immutable: fc.boolean(),
        private: fc.boolean(),
      }),
      has: fc.record({ default: fc.boolean(), min: fc.boolean(), max: fc.boolean(), pattern: fc.boolean() }),
      target: fc.constantFrom(...targets, ''),
    })
    .chain(({ name, type, marks, has, target }) => {
      const { list } = marks;
      const value = list ? fc.array(values[type], { maxLength: 4 }) : values[type];
      return value.map((given): Field => {
        const isScalar = !list && type !== 'json' && type !== 'text';
        const unique = marks.unique && isScalar;
        const [min, max] = list ? [0, 50] : (bounds[type] ?? []);
        return {
          name,
          type,
          ...marks,
          unique,
          indexed: marks.indexed && isScalar && !unique,
          ...(has.default && type !== 'ref' && !unique && given !== undefined ? { default: given } : {}),
          ...(has.min && min !== undefined ? { min } : {}),
          ...(has.max && max !== undefined ? { max } : {}),
          ...(has.pattern && type === 'string' && !(has.default && !unique)
            ? { pattern: String.raw`^[(\])a-z]{1,9}(?:-\d+)*$` }
            : {}),
          ...(type === 'enum' ? { values: ['red', 'green', 'deep-blue'] } : {}),
          ...(type === 'decimal' ? { precision: 19, scale: 4 } : {}),
          ...(type === 'ref' ? { target: target === '' ? (targets[0] ?? '') : target } : {}),
        };
      });
    });
}

/**
 * @param printField prints a field as the manifest has it
 * @returns resources that refer to resources before them, so that there is no circle
 */
export function resourcesArbitrary(printField: (field: Field) => string): fc.Arbitrary<Resources> {
  return fc
    .uniqueArray(word, { maxLength: 4 })
    .chain((words) =>
      fc.tuple(
        ...words.map((each, index) =>
          fc
            .uniqueArray(fieldArbitrary(words.slice(0, index).map((name) => `${name}-x`)), {
              minLength: 1,
              maxLength: 6,
              selector: ({ name }) => name,
            })
            .chain((fields) => fc.tuple(fc.constant(fields), fc.boolean()))
            .map(([fields, sparse]): [string, Resource] => [
              `${each}-x`,
              {
                plural: `${each}-xs`,
                fields: Object.fromEntries(fields.map((field) => [field.name, printField(field)])),
                ...(sparse && { sparse }),
                created: `20261130${'bcde'.charAt(index)}`,
              },
            ]),
        ),
      ),
    )
    .map((entries) => Object.fromEntries(entries));
}

/**
 * Words that make lines of every length. The last one is a mark that makes the name no reserved word.
 * @param mark the mark, in lower case
 * @returns a name in kebab-case, of 1 to 39 characters
 */
function longName(mark: string): fc.Arbitrary<string> {
  return fc.array(fc.oneof(word, fc.stringMatching(/^[a-z]{20,39}$/)), { maxLength: 5 }).map((words) => {
    const name = words.join('-').slice(0, 38 - mark.length);
    return [name.replace(/-$/, ''), mark].filter(Boolean).join('-');
  });
}

/** What reaches up to the limits of a field. */
const sizes = fc.record({
  values: fc.uniqueArray(fc.stringMatching(/^[a-z][a-zA-Z0-9_-]{0,39}$/), { minLength: 2, maxLength: 50 }),
  scale: fc.nat(6),
  verbs: fc.uniqueArray(fc.stringMatching(/^x[a-z]{1,8}(?:-[a-z]{1,8}){0,2}$/), { minLength: 50, maxLength: 50 }),
});

/**
 * @param printField prints a field as the manifest has it
 * @returns a resource `…-x`, which may refer to itself and to `customer`, with names and values up to their limits, and often with states
 */
export function wideResourceArbitrary(printField: (field: Field) => string): fc.Arbitrary<Resources> {
  const names = fc.tuple(longName('x'), fc.array(longName('y1'), { minLength: 1, maxLength: 20 }));
  const marks = fc.tuple(fc.boolean(), fc.boolean());
  return fc
    .tuple(names, sizes, marks)
    .chain(([[name, fieldNames], { values: states, scale, verbs }, [stated, sparse]]) =>
      fc.tuple(...fieldNames.map(() => fieldArbitrary(['customer', name]))).map((drafts): Resources => {
        const fields = drafts.map((field, index): [string, string] => {
          const camel = fieldNameOf(
            (fieldNames[index] ?? '').replace(/(?:-.)*-?y1$/, `-yy${'abcdefghijklmnopqrst'.charAt(index)}z`),
          );
          const wide = {
            ...field,
            ...(field.target === name ? { optional: true } : {}),
            ...(field.type === 'enum'
              ? { values: ['red', ...states.filter((value) => value !== 'red')].slice(0, 50) }
              : {}),
            ...(field.type === 'decimal' ? { precision: 19 + scale, scale: Math.max(3, scale) } : {}),
          };
          return [camel, printField(wide)];
        });
        const chain = states.slice(1).map((state, index) => `${states[index]}>${state}:${verbs[index]}`);
        return {
          customer: { plural: 'customers', fields: { email: 'email:unique' }, created: '20261130' },
          [name]: {
            plural: name.replace(/x$/, 'xs'),
            fields: { ...Object.fromEntries(fields), ...(stated && { stateOf9: `enum(${states.join(',')})` }) },
            ...(stated && { states: { stateOf9: chain.join(', ') } }),
            ...(sparse && { sparse }),
            created: '20261130b',
          },
        };
      }),
    );
}
