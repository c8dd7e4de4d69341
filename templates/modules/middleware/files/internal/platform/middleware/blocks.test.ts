import { Registry } from '@prometheus-io/client';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { current } from '../../../pkg/context/index.ts';
import { testHttp } from '../../../test/support/http.ts';
import { refusing } from '../http/problems.ts';
import { principalKey } from '../http/requestContext.ts';
import { ErrorCounts } from '../metrics/module.ts';
import { Blocks } from './blocks.ts';

const someone = { scopes: new Set<string>(), roles: new Set<string>(), claims: {}, expiresAt: Infinity };

it.each([
  [{ peers: '127.0.0.1' }, 'anyone', 403],
  [{ peers: '10.0.0.0/8,::1' }, 'anyone', 200],
  [{ subject: 'flood' }, 'flood', 403],
  [{ subject: 'flood' }, 'reader', 200],
  [{ subject: 'flood' }, undefined, 200],
  [{ subject: 'flood', peers: '127.0.0.0/8' }, 'flood', 403],
  [{ subject: 'flood', peers: '127.0.0.0/8' }, 'reader', 200],
  [{ subject: 'flood', peers: '10.0.0.0/8' }, 'flood', 200],
])('to block %j answers %s, who is at 127.0.0.1, with %i', async (settings, subject, status) => {
  const http = await testHttp();
  http.get('/', () => ({}));
  http.addHook('onRequest', (_request, _reply, done) => {
    if (subject !== undefined) current().set(principalKey, { ...someone, subject });
    done();
  });
  const blocks = new Blocks(refusing(new ErrorCounts(new Registry())), pino({ level: 'silent' }));
  http.chain.add({ name: 'blocks', at: 'preParsing', handle: blocks.handle });
  blocks.add('flood', settings);
  expect((await http.inject('/')).statusCode).toBe(status);
  blocks.clear();
  expect((await http.inject('/')).statusCode).toBe(200);
});
