import { expect, it } from 'vitest';
import { ServiceError, notFound } from './index.ts';

it('a service error carries code, status, public message and cause', () => {
  const cause = new Error('duplicate key value violates unique constraint');
  const error = new ServiceError({ code: 'name_taken', status: 409, publicMessage: 'The name is taken.', cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ code: 'name_taken', status: 409, publicMessage: 'The name is taken.', cause });
});

it('what is not found is a 404 that names it', () => {
  expect(notFound('item', '7')).toMatchObject({
    code: 'item_not_found',
    status: 404,
    publicMessage: 'There is no item "7".',
  });
});
