import { describe, expect, expectTypeOf, it } from 'vitest';
import { announcementOf, link } from './announcement.ts';
import { type ApiVersions, type EachVersion, type VersionFacts, defineVersions } from './apiVersions.ts';

const define = (versions: Readonly<Record<number, VersionFacts>>, byDefault = 1) =>
  defineVersions({ strategy: 'path', default: byDefault, versions });

describe('the versions of an API', () => {
  const versions = defineVersions({
    strategy: 'path',
    default: 2,
    versions: {
      10: { deprecated: '2027-01-01' },
      1: { retired: true },
      2: { deprecated: '2026-01-01' },
      9: {},
    },
  });

  it('are known by number, the oldest first', () => {
    expect(versions.all.map(({ number }) => number)).toEqual([1, 2, 9, 10]);
    expect(versions.served).toEqual([2, 9, 10]);
  });

  it('are asked for by the compiler: each that is served, and no other', () => {
    expectTypeOf(versions).toEqualTypeOf<ApiVersions<2 | 9 | 10>>();
    const each: EachVersion<2 | 9 | 10, string> = { 2: 'b', 9: 'i', 10: null };
    expect(each).toBeDefined();
    // @ts-expect-error version 9 lacks something
    expectTypeOf<{ 2: string; 10: string }>().toExtend<EachVersion<2 | 9 | 10, string>>();
  });
});

it.each<[string, Readonly<Record<number, VersionFacts>>, number]>([
  ['no version of the API is served', { 1: { retired: true } }, 1],
  ['the default is version 3', { 1: {} }, 3],
  ['a version is a number', { 0: {} }, 0],
  ['a version is a number', { 1.5: {} }, 1.5],
  ['is no day', { 1: { deprecated: '2027-02-30' } }, 1],
  ['is no day', { 1: { deprecated: 'soon' } }, 1],
  ['is no day', { 1: { deprecated: '2027-99-99' } }, 1],
  ['it is deprecated first', { 1: { sunset: '2027-01-01' } }, 1],
  ['it is deprecated first', { 1: { deprecated: '2027-01-02', sunset: '2027-01-01' } }, 1],
  ['is no URL', { 1: { deprecated: '2027-01-01', info: 'javascript:alert(1)' } }, 1],
  ['is no URL', { 1: { deprecated: '2027-01-01', info: 'moving' } }, 1],
])('what cannot be is told: %s', (message, versions, byDefault) => {
  expect(() => define(versions, byDefault)).toThrow(message);
});

describe('an announcement', () => {
  it('is in the formats of RFC 9745, 8594 and 8288', () => {
    const facts = { deprecated: '2023-06-30', sunset: '2024-06-30', info: 'https://example.com/a b>' };
    const [version] = define({ 1: facts, 2: {} }).all;
    expect(version && announcementOf(version)).toEqual({
      deprecation: '@1688083200',
      sunset: 'Sun, 30 Jun 2024 00:00:00 GMT',
      links: ['<https://example.com/a%20b%3E>; rel="deprecation sunset"; type="text/html"'],
    });
  });

  it('is none before there is something to tell', () => {
    const [version] = define({ 1: {} }).all;
    expect(version && announcementOf(version)).toBeUndefined();
  });

  it('cannot be got out of by a URL that somebody chose', () => {
    expect(link('/a>; rel="x"\r\n<b', 'rel="y"')).toBe('</a%3E;%20rel=%22x%22%0D%0A%3Cb>; rel="y"');
  });
});
