import { expect, it, vi } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { inTurn, pass } from './inTurn.ts';

it('finds out once for each route what is passed on it, and not with each request', async () => {
  const http = await testHttp();
  http.get('/a/:id', () => ({}));
  http.get('/b', () => ({}));
  const step = vi.fn<typeof pass>(pass);
  const routes = new Set(['GET /a/:id']);
  const has = vi.spyOn(routes, 'has');
  http.chain.add({ name: 'step', at: 'onRequest', handle: inTurn([{ step, routes }]) });
  for (const url of ['/a/1', '/b', '/a/2', '/b', '/a/1']) expect((await http.inject(url)).statusCode).toBe(200);
  expect(step).toHaveBeenCalledTimes(3);
  expect(has).toHaveBeenCalledTimes(2);
});
