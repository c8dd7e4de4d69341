import { expect, it } from 'vitest';
import { testHttp } from '../../../test/support/http.ts';
import { noTracing } from '../app/tracing.ts';
import type { Handle } from './types.ts';

const passed: string[] = [];
const noting =
  (name: string): Handle =>
  (_request, _reply, next) => {
    passed.push(name);
    next();
  };

it('runs steps in the order in which modules add them, those at onRequest first, and a replaced one at once', async () => {
  const http = await testHttp();
  http.get('/', () => ({}));
  http.chain.add({ name: 'quotas', at: 'preParsing', handle: noting('quotas') });
  http.chain.add({ name: 'jwt', at: 'onRequest', fixed: true, handle: async () => void passed.push('jwt') });
  const step = http.chain.add({ name: 'changed', at: 'onRequest', handle: noting('before') });
  expect(http.chain.steps.map(({ name }) => name)).toEqual(['jwt', 'changed', 'quotas']);

  expect((await http.inject('/')).statusCode).toBe(200);
  step.handle = noting('after');
  expect((await http.inject('/')).statusCode).toBe(200);
  expect(passed).toEqual(['jwt', 'before', 'quotas', 'jwt', 'after', 'quotas']);
});

it('refuses a duplicate name', async () => {
  const { chain } = await testHttp();
  chain.add({ name: 'jwt', at: 'onRequest', handle: noting('first') });
  expect(() => chain.add({ name: 'jwt', at: 'preParsing', handle: noting('second') })).toThrow('"jwt"');
});

it('begins with the fixed step "trace" when traces are recorded', async () => {
  const { chain } = await testHttp({}, { tracing: { ...noTracing } });
  expect(chain.steps.map(({ name, fixed }) => [name, fixed])).toEqual([['trace', true]]);
  expect((await testHttp()).chain.steps).toEqual([]);
});
