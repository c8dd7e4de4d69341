import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ServiceError,
  as,
  cancelled,
  chain,
  conflict,
  deadlineExceeded,
  invalidArgument,
  notFound,
  permissionDenied,
  resourceExhausted,
  unauthenticated,
  unavailable,
} from './index.ts';

describe('a service error', () => {
  it('carries what the caller may know, and its cause', () => {
    const cause = new Error('duplicate key value violates unique constraint');
    const details = { name: 'a' };
    const error = new ServiceError({
      code: 'name_taken',
      status: 409,
      publicMessage: 'The name is taken.',
      details,
      cause,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      code: 'name_taken',
      status: 409,
      publicMessage: 'The name is taken.',
      details,
      retryable: false,
      cause,
    });
  });

  it.each([
    [notFound('item', '7'), 'item_not_found', 404, false],
    [invalidArgument('m'), 'invalid_argument', 400, false],
    [unauthenticated('m'), 'unauthenticated', 401, false],
    [permissionDenied('m'), 'permission_denied', 403, false],
    [conflict('m'), 'conflict', 409, false],
    [conflict('m', { retryable: true }), 'conflict', 409, true],
    [resourceExhausted('m'), 'resource_exhausted', 429, true],
    [cancelled('m'), 'cancelled', 499, false],
    [unavailable('m', { retryAfterMs: 1500 }), 'unavailable', 503, true],
    [deadlineExceeded('m', { code: 'too_slow' }), 'too_slow', 504, false],
  ])('of a usual kind has its code and its status: %s', (error, code, status, retryable) => {
    expect(error).toMatchObject({ code, status, retryable });
  });
});

describe('the chain', () => {
  const missing = notFound('item', '7');
  const wrapped = new Error('packing the box', { cause: new RangeError('reading the item', { cause: missing }) });

  it('goes from an error to its causes', () => {
    expect([...chain(wrapped)].map(String)).toEqual([
      'Error: packing the box',
      'RangeError: reading the item',
      'ServiceError: There is no item "7".',
    ]);
  });

  it('goes into what an AggregateError holds, the nearest first', () => {
    const deep = new Error('deep');
    const error = new AggregateError([new Error('one', { cause: deep }), 'two'], 'both', { cause: 'why' });
    expect([...chain(error)]).toEqual([error, 'why', error.errors[0], 'two', deep]);
  });

  it('ends, though errors cause each other', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    expect([...chain(first)]).toEqual([first, second]);
  });

  it.each([undefined, null, 'text', 7])('of %s, which is no error, is that alone', (thrown) => {
    expect([...chain(thrown)]).toEqual([thrown]);
    expect(as(thrown, Error)).toBeUndefined();
  });

  it('finds the nearest error of a class', () => {
    expect(as(wrapped, Error)).toBe(wrapped);
    expect(as(wrapped, RangeError)).toBe(wrapped.cause);
    expect(as(wrapped, ServiceError)).toBe(missing);
    expect(as(wrapped, TypeError)).toBeUndefined();
  });
});

describe('what an error says', () => {
  it('of its details is JSON, whatever they were', () => {
    const itself: Record<string, unknown> = { id: '7' };
    itself['itself'] = itself;
    const said = (details: Record<string, unknown>): unknown => invalidArgument('No.', { details }).details;
    expect(said({ version: 12n, at: new Date(0), list: [1n] })).toEqual({
      version: '12',
      at: '1970-01-01T00:00:00.000Z',
      list: ['1'],
    });
    expect(said(itself)).toBeUndefined();
  });

  it.each([Infinity, Number.NaN, -1])('of when to come again is nothing, if that is %d', (retryAfterMs) => {
    const error = invalidArgument('No.', { retryAfterMs });
    expect(error.retryAfterMs).toBeUndefined();
    expect(error.retryable).toBe(false);
  });

  it.each([0, 200, 304, 399, 600, 400.5, Number.NaN])('of its status is 500, if that is %d', (status) => {
    const error = new ServiceError({ code: 'upstream', status, publicMessage: 'No.' });
    expect(error.status).toBe(500);
  });
});

it('imports nothing: clients carry it into browsers', () => {
  expect(readFileSync(path.join(import.meta.dirname, 'index.ts'), 'utf8')).not.toMatch(
    /^(import|export)[^;]*?\bfrom\s/m,
  );
});
