import { describe, expect, expectTypeOf, it } from 'vitest';
import { type ApiVersions, type EachVersion, type VersionFacts, defineVersions } from './apiVersions.ts';

const define = (versions: Readonly<Record<number, VersionFacts>>, byDefault = 1) =>
  defineVersions({ default: byDefault, versions });

describe('the versions of an API', () => {
  const versions = defineVersions({
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
  ['the sunset needs an earlier day', { 1: { sunset: '2027-01-01' } }, 1],
  ['the sunset needs an earlier day', { 1: { deprecated: '2027-01-02', sunset: '2027-01-01' } }, 1],
  ['is no URL', { 1: { deprecated: '2027-01-01', info: 'javascript:alert(1)' } }, 1],
  ['is no URL', { 1: { deprecated: '2027-01-01', info: 'moving' } }, 1],
])('what cannot be is told: %s', (message, versions, byDefault) => {
  expect(() => define(versions, byDefault)).toThrow(message);
});
