import { describe, expect, it } from 'vitest';
import { problem, problemOf } from './problem.ts';

describe('problemOf', () => {
  it.each([
    'a string',
    undefined,
    new Error('secret'),
    Object.assign(new Error('secret'), { code: 'E', statusCode: 502 }),
  ])('tells nothing of %s', (error) => {
    expect(problemOf(error)).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500 });
  });

  it('keeps the status that an unknown error asks for, but not its message', () => {
    const error = Object.assign(new Error('secret'), { code: 'TEAPOT', statusCode: 418 });
    expect(problemOf(error)).toEqual(problem(418));
  });
});
