import { describe, expect, it } from 'vitest';
import type { Principal } from '../http/requestContext.ts';
import { Identity, missingFrom } from './module.ts';

const nobody = () => Promise.reject(new Error('not asked'));
const nothing = () => false;

describe('identity', () => {
  it('has no check until a module provides one', () => {
    const identity = new Identity();
    expect(identity.authenticate).toBeUndefined();
    expect(identity.permits(undefined, { method: 'GET', url: '/' })).toBe(true);
    identity.provide(nobody, nothing);
    expect(identity.authenticate).toBe(nobody);
    expect(identity.permits(undefined, { method: 'GET', url: '/' })).toBe(false);
  });

  it('refuses a second module', () => {
    const identity = new Identity();
    identity.provide(nobody, nothing);
    expect(() => identity.provide(nobody, nothing)).toThrow('two modules authenticate requests');
  });
});

const reader: Principal = {
  subject: 'reader',
  scopes: new Set(['items:read', 'items:list']),
  roles: new Set(['clerk']),
  claims: {},
  expiresAt: Infinity,
};

it.each([
  { scopes: [], roles: [], missing: undefined },
  { scopes: ['items:read', 'items:list'], roles: [], missing: undefined },
  { scopes: ['items:read', 'items:write'], roles: [], missing: 'scope' },
  { scopes: [], roles: ['admin', 'clerk'], missing: undefined },
  { scopes: [], roles: ['admin'], missing: 'role' },
  { scopes: ['items:write'], roles: ['admin'], missing: 'scope' },
])('needs all scopes of $scopes and one role of $roles: $missing is missing', ({ missing, ...needs }) => {
  expect(missingFrom(reader, needs)).toBe(missing);
});
