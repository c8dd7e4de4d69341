import { describe, expect, it, vi } from 'vitest';
import { Type } from 'typebox';
import { matches } from '../validation/index.ts';
import {
  type Change,
  changeFeed,
  decimal,
  type Entity,
  existing,
  instant,
  mergePatch,
  numberFaults,
  patchOf,
  timeFaults,
} from './index.ts';

describe('a merge patch', () => {
  // The test cases of RFC 7396, appendix A, whose target and patch are objects.
  it.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('of %s by %s is %s', (target, patch, merged) => {
    const before: object = JSON.parse(target);
    expect(mergePatch(before, JSON.parse(patch))).toEqual(JSON.parse(merged));
    expect(before).toEqual(JSON.parse(target));
  });

  it('changes no prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"admin":true}}'));
    expect(Object.keys(merged)).toEqual(['__proto__']);
    expect(merged).not.toHaveProperty('admin');
  });

  it('has a schema in which null removes what may be missing, and nothing has a default', () => {
    const whole = Type.Object({ a: Type.String(), b: Type.Optional(Type.Integer({ default: 1 })), c: Type.Boolean() });
    const patch = patchOf({ $id: 'Patch', description: 'A patch', of: whole, fields: ['a', 'b'] });
    for (const valid of [{}, { a: 'a' }, { b: null }, { a: 'a', b: 2 }]) expect(matches(patch, valid)).toBe(true);
    for (const invalid of [{ a: null }, { c: true }, { b: 'b' }]) expect(matches(patch, invalid)).toBe(false);
    expect(JSON.stringify(patch)).not.toContain('default');
  });
});

it.each([
  ['1.50', '1.5'],
  ['-0', '0'],
  ['0.000', '0'],
  ['12345678901234567890.1', '12345678901234567890.1'],
  ['-7', '-7'],
])('the decimal %s is stored as %s', (given, stored) => {
  expect(decimal(given)).toBe(stored);
});

it('a time is stored in UTC', () => {
  expect(instant('2026-01-02T03:04:05+02:00')).toBe('2026-01-02T01:04:05.000Z');
});

describe('limits', () => {
  it.each([
    ['0.1', { min: '0.10', max: '0.10' }, undefined],
    ['9007199254740993', { max: '9007199254740992' }, 'maximum'],
    ['-0.01', { min: '0' }, 'minimum'],
  ])('of the number %s are exact: %j', (value, limits, rule) => {
    expect(numberFaults('/a', value, limits).map((fault) => fault.rule)).toEqual(rule === undefined ? [] : [rule]);
  });

  it.each([
    ['2026-01-02T00:00:00+02:00', { min: '2026-01-02T00:00:00Z' }, 'minimum'],
    ['2026-01-02', { max: '2026-01-01' }, 'maximum'],
    ['2016-12-31T23:59:60Z', {}, 'format'],
    ['2026-01-02', { min: '2026-01-02', max: '2026-01-02' }, undefined],
  ])('of the time %s: %j', (value, limits, rule) => {
    expect(timeFaults('/a', value, limits).map((fault) => fault.rule)).toEqual(rule === undefined ? [] : [rule]);
  });

  it.each(['9999-12-31T23:59:59-23:00', '0001-01-01T00:00:00+01:00', '0000-06-01'])('refuse the time %s', (value) => {
    expect(timeFaults('/a', value)).toMatchObject([{ pointer: '/a', rule: 'format' }]);
  });

  it('hold for a value that is missing', () => {
    expect([numberFaults('/a', undefined, { min: '1' }), timeFaults('/a', undefined, {})]).toEqual([[], []]);
  });
});

it('an entity is found in a version that the caller accepts', () => {
  const entity = { id: 'a', version: 3, createdAt: '', updatedAt: '' };
  expect(existing('item', entity, 'a')).toBe(entity);
  expect(existing('item', entity, 'a', [1, 3])).toBe(entity);
  const details = { version: entity.version };
  expect(() => existing('item', entity, 'a', [])).toThrow(expect.objectContaining({ status: 412, details }));
  expect(() => existing('item', undefined, 'a')).toThrow(expect.objectContaining({ code: 'item_not_found' }));
});

it('listeners get each change, and a listener that throws or rejects stops neither the request nor the others', async () => {
  const { changed, onChange } = changeFeed<Entity>();
  const error = vi.fn<(fields: object, message: string) => void>();
  const heard: Change<Entity>[] = [];
  onChange({ error }, () => {
    throw new Error('thrown');
  });
  onChange({ error }, () => Promise.reject(new Error('rejected')));
  onChange({ error }, (change) => heard.push(change));
  const before = { id: '7', version: 1, createdAt: '', updatedAt: '' };
  const entity = { ...before, version: 2 };
  changed('changed', entity, before);
  expect(heard).toEqual([{ change: 'changed', entity, before }]);
  await vi.waitFor(() => expect(error).toHaveBeenCalledTimes(2));
  const fields = { err: new Error('rejected'), id: '7', change: 'changed' };
  expect(error).toHaveBeenLastCalledWith(fields, 'a listener of changes failed');
});
