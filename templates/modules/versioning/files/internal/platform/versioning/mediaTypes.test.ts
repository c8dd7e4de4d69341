import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../../test/support/random.ts';
import { defineVersions } from './apiVersions.ts';
import { MediaTypes } from './mediaTypes.ts';

const versions = defineVersions({
  strategy: 'media-type',
  default: 2,
  versions: { 1: { retired: true }, 2: {}, 3: {} },
});
const types = new MediaTypes(versions, 'Or-ders.x');
const tree = 'application/vnd.or-ders.x';

describe('Accept (RFC 9110, 12.5.1)', () => {
  it.each([
    [undefined, 'any'],
    ['', 'any'],
    ['*/*', 'any'],
    ['application/json', 'any'],
    ['text/html', 'any'],
    ['application/vnd.orders.v3+json', 'any'],
    ['application/vnd.or-dersZx.v3+json', 'any'],
    [`${tree}.v3+json`, 3],
    [`${tree.toUpperCase()}.V3+JSON`, 3],
    [`${tree}+json; version=3`, 3],
    ['application/json;version="3"', 3],
    // Without a version any will do: the default.
    [`${tree}+json`, 2],
    [`${tree}.v3+json;q=0.5, ${tree}.v2+json`, 2],
    [`${tree}.v3+json, ${tree}.v2+json;q=0.9`, 3],
    [`${tree}.v9+json, ${tree}.v3+json;q=0.1`, 3],
    [`${tree}.v9+json, */*;q=0.1`, 'any'],
    [`${tree}.v9+json, application/*`, 'any'],
    [`${tree}.v3+json, application/json;q=0.9`, 3],
    [`${tree}.v3+json;q=0.2, application/json;q=0.9`, 'any'],
    // Who names a version wants it, unless something else is liked better; in whatever order.
    [`${tree}.v3+json, application/json`, 3],
    [`application/json, ${tree}.v3+json`, 3],
    [`application/json;q=0.5, ${tree}+json;version=3;q=0.5`, 3],
    [`*/*, ${tree}.v3+json`, 3],
    [`${tree}.v3+json;q=0.9, */*`, 'any'],
    [`${tree}.v3+json;q=0, */*`, 'any'],
    [`${tree}.v3+json;q=0`, undefined],
    [`${tree}.v9+json`, undefined],
    [`${tree}.v2+xml`, undefined],
    [`${tree}.v+json`, undefined],
    [`${tree}.v03+json`, undefined],
    [`${tree}.v${'9'.repeat(400)}+json`, undefined],
    // One that is retired, when there is none else.
    [`${tree}.v1+json`, 1],
    [`${tree}.v1+json, ${tree}.v3+json;q=0.1`, 3],
    [`${tree}.v1+json, */*;q=0.1`, 'any'],
  ])('%s is answered by %s', (accept, expected) => {
    expect(types.accepted(accept)).toBe(expected);
  });

  it.each([
    ['too long', `${'a/b;version=1,'.repeat(1100)}${tree}.v3+json`],
    ['of too many ranges', 'application/json;version=9,'.repeat(35) + tree],
  ])('%s is acceptable by nothing', (_what, accept) => {
    expect(types.accepted(accept)).toBeUndefined();
  });
});

it('of the versions that are named the one liked best answers, whatever else stands there', () => {
  const seed = 20_261_121;
  const { upTo, pick } = randomFrom(seed);
  const named = (number: number): string[] => [
    `${tree}.v${number}+json`,
    `${tree}+json; version=${number}`,
    `application/json;version="${number}"`,
  ];
  const garbage = ['', ';', '=', '"', '/', 'q=', '\0', 'é', `${tree}.v`, '+xml', 'version=', '__proto__'];
  for (let round = 0; round < 3000; round += 1) {
    const chosen = [1, 2, 3, 9].filter(() => upTo(2) === 0).map((number) => ({ number, weight: upTo(11) / 10 }));
    const noise = Array.from({ length: upTo(6) }, () => Array.from({ length: upTo(5) }, () => pick(garbage)).join(''));
    const ranges = chosen.map(({ number, weight }) => `${pick(named(number))};q=${weight}`);
    const accept = [...ranges, ...noise].join(', ');
    const liked = chosen.filter(({ number, weight }) => number < 9 && weight > 0);
    // One that is retired, when there is none else.
    const current = liked.filter(({ number }) => number !== 1);
    const candidates = current.length > 0 ? current : liked;
    const most = Math.max(...candidates.map(({ weight }) => weight));
    const best = candidates.filter(({ weight }) => weight === most).map(({ number }) => number);
    const expected = best.length > 0 ? best : [undefined, 'any'];
    expect(expected, `${JSON.stringify(accept)}, of seed ${seed}`).toContain(types.accepted(accept));
  }
});

describe('Content-Type', () => {
  it.each([
    [undefined, undefined],
    ['application/json', undefined],
    ['application/json; charset=utf-8', undefined],
    [`${tree}.v2+json`, '2'],
    [`${tree}.v2+json; charset=utf-8`, '2'],
    [`${tree}+json; charset=utf-8; version=3`, '3'],
    ['application/json;version="3"', '3'],
    [`${tree}.v9+json`, '9'],
    [`${tree}.v+json`, ''],
    [`${tree}+json`, undefined],
    ['text/plain; version=3', undefined],
    ['application/vnd.other.v3+json', undefined],
  ])('%s names %s', (contentType, expected) => {
    expect(types.sent(contentType)).toBe(expected);
  });

  it.each([
    ['application/vnd.other.v3+json', true],
    ['Application/VND.other+json; version=3', true],
    [`${tree}s.v3+json`, true],
    [`${tree}.draft+json`, true],
    [`${tree}.V9+JSON; charset=utf-8`, false],
    [`${tree}+json`, false],
    ['application/merge-patch+json', false],
    ['application/json', false],
    [undefined, false],
  ])('whether %s is of another vendor: %s', (contentType, expected) => {
    expect(types.isForeign(contentType)).toBe(expected);
  });
});
