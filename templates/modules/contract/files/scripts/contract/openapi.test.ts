import { expect, it } from 'vitest';
import { isMajorStep, withoutEnded } from './openapi.ts';

const ended = { deprecated: true, 'x-sunset': '2026-06-30' };
const document = {
  openapi: '3.1.0',
  paths: {
    '/old': { parameters: [], get: { operationId: 'old', ...ended } },
    '/both': { get: { operationId: 'get' }, put: { operationId: 'put', ...ended } },
    '/later': { get: { operationId: 'later', deprecated: true, 'x-sunset': '2026-07-01' } },
    '/never': { get: { operationId: 'never', deprecated: true, 'x-sunset': 'some day' } },
  },
};

it('of operations that have ended nothing is left, and all of the rest', () => {
  expect(withoutEnded(document, '2026-06-30')).toEqual({
    openapi: '3.1.0',
    paths: {
      '/both': { get: { operationId: 'get' } },
      '/later': document.paths['/later'],
      '/never': document.paths['/never'],
    },
  });
});

it('nothing ends before its day', () => {
  expect(withoutEnded(document, '2026-06-29')).toEqual(document);
});

it.each([
  ['1.2.3', '2.0.0', true],
  ['1.2.3', '1.9.0', false],
  ['2.0.0', '1.0.0', false],
  ['0.1.0', '0.2.0', true],
  ['0.1.0', '0.1.1', false],
  ['0.9.0', '1.0.0', true],
  ['next', 'next', false],
])('from %s to %s callers may break: %s', (before, now, expected) => {
  expect(isMajorStep(before, now)).toBe(expected);
});
