import { describe, expect, it } from 'vitest';
import { conflict, unavailable } from '../../../../pkg/errors/index.ts';
import { problem, problemOf } from '../problems.ts';

describe('problemOf', () => {
  it.each([
    'a string',
    undefined,
    new Error('secret'),
    Object.assign(new Error('secret'), { code: 'E', statusCode: 502 }),
    ...[0, 200, 304, 700, Number.NaN].map((statusCode) =>
      Object.assign(new Error('secret'), { code: 'E', statusCode }),
    ),
  ])('tells nothing of %s', (error) => {
    expect(problemOf(error)).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500 });
  });

  it('tells what the nearest ServiceError among the causes says, and nothing of what is around it', () => {
    const inner = unavailable('Try again.', { code: 'busy', details: { queue: 3 }, cause: new Error('secret') });
    const cause = new AggregateError([new Error('secret'), inner], 'secret');
    const error = Object.assign(new Error('secret', { cause }), { secret: 1 });
    const answer = problem(503, { code: 'busy', detail: 'Try again.', details: { queue: 3 } });
    expect(problemOf(error)).toEqual(answer);
  });

  it('names the fields that the domain refuses where those of the schema are named', () => {
    const fault = { pointer: '/sku', rule: 'unique', detail: 'must be unique' };
    const answer = problem(409, { code: 'taken', detail: 'Taken.', errors: [{ in: 'body', ...fault }] });
    expect(problemOf(conflict('Taken.', { code: 'taken', details: { errors: [fault] } }))).toEqual(answer);
  });

  it('keeps the status that an unknown error asks for, but not its message', () => {
    const error = Object.assign(new Error('secret'), { code: 'TEAPOT', statusCode: 418 });
    expect(problemOf(error)).toEqual(problem(418));
  });
});
