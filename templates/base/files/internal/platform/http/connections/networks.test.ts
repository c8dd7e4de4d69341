import { describe, expect, it } from 'vitest';
import { testHttp } from '../../../../test/support/http.ts';
import { networks } from '../connections.ts';

describe('trusted proxies', () => {
  it('are those of the list, by address or network', () => {
    const trusts = networks('HTTP_TRUSTED_PROXIES', '127.0.0.1,10.0.0.0/8,fd00::/8');
    expect(['127.0.0.1', '10.1.2.3', '::ffff:10.1.2.3', 'fd12::1'].filter(trusts)).toHaveLength(4);
    expect(['127.0.0.2', '11.0.0.1', 'fe80::1', '', 'proxy', '10.0.0.0/8'].filter(trusts)).toEqual([]);
    expect(networks('HTTP_TRUSTED_PROXIES', '')('127.0.0.1')).toBe(false);
  });

  it.each(['localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'fd00::/129'])('refuse %s', (entry) => {
    expect(() => networks('HTTP_TRUSTED_PROXIES', `127.0.0.1,${entry}`)).toThrow(entry);
  });
});

describe('the address of a client', () => {
  const forged = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };
  const addressOf = async (env: Record<string, string>, headers: Record<string, string>) => {
    const http = await testHttp(env);
    http.get('/', ({ ip }) => ({ ip }));
    return (await http.inject({ url: '/', headers })).json<{ ip: string }>().ip;
  };

  it('is that of its connection, whatever it says', async () => {
    expect(await addressOf({}, forged)).toBe('127.0.0.1');
    expect(await addressOf({ HTTP_TRUSTED_PROXIES: '10.0.0.0/8' }, forged)).toBe('127.0.0.1');
  });

  it('is what a trusted proxy has seen: the last of the list that is no proxy itself', async () => {
    expect(await addressOf({ HTTP_TRUSTED_PROXIES: '127.0.0.1' }, forged)).toBe('198.51.100.7');
    expect(await addressOf({ HTTP_TRUSTED_PROXIES: '127.0.0.1,198.51.100.0/24' }, forged)).toBe('203.0.113.9');
  });
});
