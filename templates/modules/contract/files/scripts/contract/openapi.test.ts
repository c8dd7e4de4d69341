import { expect, it } from 'vitest';
import { isMajorStep, withoutEnded } from './openapi.ts';

const ended = { deprecated: true, 'x-sunset': '2026-06-30' };
const old = { $ref: '#/components/schemas/Old' };
const lasting = { $ref: '#/components/schemas/New' };
const document = {
  openapi: '3.1.0',
  paths: {
    '/old': { parameters: [], get: { operationId: 'old', ...ended } },
    '/both': {
      get: {
        operationId: 'get',
        responses: { 200: { content: { 'a/json': { schema: old }, 'b/json': { schema: lasting } } } },
      },
      put: { operationId: 'put', ...ended },
    },
    '/empty': {},
    '/later': { get: { operationId: 'later', deprecated: true, 'x-sunset': '2026-07-01' } },
    '/never': { get: { operationId: 'never', deprecated: true, 'x-sunset': 'some day' } },
  },
  components: {
    schemas: { Old: { type: 'object', ...ended }, New: { anyOf: [{ enum: ['1'], ...ended }, { enum: ['2'] }] } },
  },
};

it('of what has ended nothing is left, and all of the rest', () => {
  expect(JSON.parse(withoutEnded(document, '2026-06-30'))).toEqual({
    openapi: '3.1.0',
    paths: {
      '/both': { get: { operationId: 'get', responses: { 200: { content: { 'b/json': { schema: lasting } } } } } },
      '/empty': {},
      '/later': document.paths['/later'],
      '/never': document.paths['/never'],
    },
    components: { schemas: { New: { anyOf: [{ enum: ['2'] }] } } },
  });
});

it('nothing ends before its day', () => {
  expect(JSON.parse(withoutEnded(document, '2026-06-29'))).toEqual(document);
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
