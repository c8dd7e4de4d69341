import { expect, it } from 'vitest';
import { type Principal, missingFrom } from './module.ts';

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
])('of scopes $scopes, all, and roles $roles, one of them: $missing is missing', ({ missing, ...needs }) => {
  expect(missingFrom(reader, needs)).toBe(missing);
});
