import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlipwayError } from '../../../../generators/engine/errors.ts';
import { parseField, parseFieldArgument, printField } from '../../../../generators/engine/resources/fields.ts';
import { fieldArbitrary } from '../../../helpers/resources.ts';

function faultOf(text: string): string {
  try {
    parseField('price', text);
  } catch (error) {
    if (error instanceof SlipwayError) return `${error.message} (${error.hint})`;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe('the text of a field', () => {
  it('is printed and parsed without loss', () => {
    fc.assert(
      fc.property(fieldArbitrary(), (field) => {
        expect(parseField(field.name, printField(field))).toEqual(field);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any content is taken in one form, or refused with an error for the user', () => {
    const pieces = fc.constantFrom(
      ...[
        'string',
        'int',
        'decimal',
        'enum',
        'ref',
        'json',
        'date',
        '(',
        ')',
        '[]',
        '?',
        ':',
        ',',
        '"',
        '\\',
        '1',
        '-',
        'a',
        ' ',
      ],
      ...['default', 'min', 'max', 'pattern', 'unique', 'optional', '(1)', '(a)', '("a")', '[1]', '\u2028', '😀'],
    );
    const hostile = fc.oneof(
      fc.array(pieces, { maxLength: 9 }).map((all) => all.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        let printed: string;
        try {
          printed = printField(parseField('price', text));
        } catch (error) {
          expect(error).toBeInstanceOf(SlipwayError);
          return;
        }
        expect(printField(parseField('price', printed))).toBe(printed);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['string', 'string'],
    ['string?', 'string?'],
    ['string:optional', 'string?'],
    ['string[]:optional', 'string[]?'],
    ['string:max(80):private:unique', 'string:unique:private:max(80)'],
    ['string:indexed:unique', 'string:unique'],
    ['decimal(19,4)', 'decimal'],
    ['decimal(12)', 'decimal(12,0)'],
    ['decimal:min(-00.50):max(7.10)', 'decimal:min(-0.5):max(7.1)'],
    ['enum( a , b-c )', 'enum(a,b-c)'],
    ['bigint:default(-0)', 'bigint:default(0)'],
    ['datetime:min(2026-11-30T12:00:00Z)', 'datetime:min(2026-11-30T12:00:00.000Z)'],
    ['date:max(2024-02-29)', 'date:max(2024-02-29)'],
    ['uuid:default(0190A0C4-7A80-7CC3-98E2-0D8F4B2F7C11)', 'uuid:default(0190a0c4-7a80-7cc3-98e2-0d8f4b2f7c11)'],
    ['string:default("a")', 'string:default(a)'],
    ['string:default(a (b) c)', 'string:default(a (b) c)'],
    ['string:default(":-)")', 'string:default(":-)")'],
    [String.raw`text:default("two\nlines")`, String.raw`text:default("two\nlines")`],
    ['text:default()', 'text:default()'],
    ['json:default({"a":[1, ")"]})', 'json:default({"a":[1,")"]})'],
    ['string[]:default(["a", ")"])', 'string[]:default(["a",")"])'],
    [String.raw`string:pattern(^[)(]\)(?:a(b)?)+$):min(2)`, String.raw`string:min(2):pattern(^[)(]\)(?:a(b)?)+$)`],
  ])('%s is %s in the manifest', (text, canonical) => {
    expect(printField(parseField('price', text))).toBe(canonical);
    expect(printField(parseField('price', canonical))).toBe(canonical);
  });

  it.each([
    ['', 'field "price", character 1: a type is missing'],
    ['strin', 'character 1: there is no type "strin" (did you mean "string"?)'],
    ['float', 'there is no type "float" (did you mean "decimal"?)'],
    ['Integer', 'did you mean "int"?'],
    ['constructor', 'there is no type "constructor" (types: string, text'],
    ['string(80)', 'character 7: the type string takes nothing in parentheses (lengths are min(1) and max(80)'],
    ['string:uniqe', 'character 8: there is no modifier "uniqe" (did you mean "unique"?)'],
    ['string:', 'character 8: a modifier is missing'],
    ['string unique', 'character 7: " unique" is not expected here'],
    ['string?[]', 'character 8: "[]" is not expected here'],
    ['string:unique:unique', '"unique" is there twice'],
    ['string:unique(1)', '"unique" takes nothing in parentheses'],
    ['string:min', 'character 11: "min" needs a value'],
    ['string:min(1', 'this parenthesis is not closed'],
    ['string:default("a"', 'this parenthesis is not closed'],
    ['string:default("a)', '""a" is not a text'],
    ['string:min(-1)', '"-1" is not a length'],
    ['string:min(9):max(3)', 'the minimum 9 is greater than the maximum 3'],
    ['string:min(201)', 'the minimum 201 is greater than the maximum 200'],
    ['string:max(10001)', 'the highest maximum for the type string is 10000'],
    ['string[]:max(101)', 'the highest maximum for a list is 100'],
    ['string:max(641):unique', 'a text that is unique has at most 640 characters'],
    ['string:default()', 'is less than the minimum 1'],
    ['string:max(3):default(abcd)', 'is greater than the maximum 3'],
    ['string:pattern(^a$):default(b)', 'does not match the pattern'],
    ['string[]:default([""])', 'is less than the minimum 1'],
    ['string:pattern([)', 'no regular expression'],
    [String.raw`string:pattern(\)`, 'this parenthesis is not closed'],
    ['string:pattern(a{2,1})', 'no regular expression'],
    [`string:pattern(${'a'.repeat(201)})`, '1 to 200 characters; given: 201'],
    ['int:pattern(a)', 'takes no pattern'],
    ['int:default(1.5)', '"1.5" is not a whole number'],
    ['int:default(9007199254740992)', 'is not a whole number between'],
    ['bigint:default(9223372036854775808)', 'is not a whole number of 64 bits'],
    ['int:min(3):default(2)', 'is less than the minimum 3'],
    ['decimal(3,2):default(10)', 'more digits'],
    ['decimal(3,2):max(1.123)', 'it has more digits than decimal(3,2)'],
    ['decimal(39)', 'at most 38 digits'],
    ['decimal(2,3)', 'a decimal takes its digits'],
    ['decimal:default(1e3)', 'is not a decimal number'],
    ['date:default(2026-02-29)', 'is not a date'],
    ['date:default(0000-01-01)', 'is not a date'],
    ['datetime:default(2026-11-30T12:00:00+01:00)', 'is not a time in UTC'],
    ['boolean:min(1)', 'the type boolean takes no min'],
    ['boolean:default(yes)', 'is not true or false'],
    ['uuid:max(3)', 'takes no max'],
    ['enum', 'an enum needs its values'],
    ['enum()', '"" is no value of an enum'],
    ['enum(a,a)', 'the value "a" is there twice'],
    ['enum(Red)', '"Red" is no value of an enum'],
    ['enum(a,😀)', 'is no value of an enum'],
    [`enum(${Array.from({ length: 51 }, (_, index) => `v${index}`).join(',')})`, 'at most 50 values; given: 51'],
    ['enum(a,b):default(c)', 'is not one of a, b'],
    ['ref', 'a ref needs a resource'],
    ['ref(Customer)', '"Customer" is no name of a resource'],
    ['ref(customer):default(a)', 'a ref cannot have a default'],
    ['json:unique', 'the type json cannot be unique'],
    ['text:indexed', 'the type text cannot be indexed'],
    ['string[]:unique', 'a list cannot be unique'],
    ['json:default({"__proto__":1})', 'is not JSON without the key'],
    ['json:default(1e999)', 'is not JSON'],
    [String.raw`string:default("\u0000")`, 'is not a text'],
    [String.raw`string:default("\ud800")`, 'is not a text'],
    ['string:default(a\nb)', 'character 17: a control character'],
    ['int:unique:default(1)', 'a unique field cannot have a default'],
    ['string:default(a):default(b)', '"default" is there twice'],
    [`string:default(${'a'.repeat(4000)})`, 'the text has more than 4000 characters'],
  ])('%s is refused', (text, message) => {
    expect(faultOf(text)).toContain(message);
  });

  it('of the command line begins with the name, in any style', () => {
    expect(parseFieldArgument('placed_at:datetime')).toMatchObject({ name: 'placedAt', type: 'datetime' });
    expect(parseFieldArgument('customer-ID:uuid')).toMatchObject({ name: 'customerId' });
    expect(() => parseFieldArgument('sku')).toThrow('"sku" is no field');
    expect(() => parseFieldArgument(':string')).toThrow('is no field');
  });
});
