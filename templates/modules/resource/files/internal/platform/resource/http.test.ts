import { Type } from 'typebox';
import { expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { filter } from './http.ts';

it('a list is filtered by what the caller says, and not by the default of the field', async () => {
  const http = await testHttp();
  const querystring = Type.Object({ colour: filter(Type.Enum(['red', 'green'], { default: 'red' })) });
  http.get('/things', { schema: { hide: true, querystring } }, ({ query }) => query);
  expect((await http.inject('/things')).json()).toEqual({});
  expect((await http.inject('/things?colour=green')).json()).toEqual({ colour: 'green' });
  expect((await http.inject('/things?colour=blue')).statusCode).toBe(400);
});
