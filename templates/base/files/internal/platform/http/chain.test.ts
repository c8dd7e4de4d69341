import { expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { noTracing } from '../app/tracing.ts';
import type { Handle } from './chain.ts';

const passed: string[] = [];
const noting =
  (name: string): Handle =>
  (_request, _reply, next) => {
    passed.push(name);
    next();
  };

it('is passed in the order in which modules add to it, what comes before authentication first', async () => {
  const http = await testHttp();
  http.get('/', () => ({}));
  http.chain.add({ name: 'quotas', at: 'preParsing', handle: noting('quotas') });
  http.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: async () => void passed.push('jwt') });
  const kept = http.chain.keep('onRequest');
  expect(http.chain.places.map(({ middleware }) => middleware?.name)).toEqual(['jwt', undefined, 'quotas']);

  expect((await http.inject('/')).statusCode).toBe(200);
  kept.handle = noting('kept');
  expect((await http.inject('/')).statusCode).toBe(200);
  expect(passed).toEqual(['jwt', 'quotas', 'jwt', 'kept', 'quotas']);
});

it('does not take two of one name', async () => {
  const { chain } = await testHttp();
  chain.add({ name: 'jwt', at: 'onRequest', handle: noting('first') });
  expect(() => chain.add({ name: 'jwt', at: 'preParsing', handle: noting('second') })).toThrow('"jwt"');
});

it('begins with the trace of a request, which stays, where traces are recorded', async () => {
  const { chain } = await testHttp({}, { tracing: { ...noTracing } });
  expect(chain.places.map(({ middleware }) => [middleware?.name, middleware?.fixed])).toEqual([['trace', true]]);
  expect((await testHttp()).chain.places).toEqual([]);
});
