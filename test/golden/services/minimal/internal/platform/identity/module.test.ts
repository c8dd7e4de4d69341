import { describe, expect, it } from 'vitest';
import { Identity } from './module.ts';

const nobody = () => Promise.reject(new Error('not asked'));
const nothing = () => false;

describe('identity', () => {
  it('knows nobody until a module provides that', () => {
    const identity = new Identity();
    expect(identity.authenticate).toBeUndefined();
    expect(identity.permits(undefined, { url: '/' })).toBe(true);
    identity.provide(nobody, nothing);
    expect(identity.authenticate).toBe(nobody);
    expect(identity.permits(undefined, { url: '/' })).toBe(false);
  });

  it('refuses a second module: which of two decides is no matter of order', () => {
    const identity = new Identity();
    identity.provide(nobody, nothing);
    expect(() => identity.provide(nobody, nothing)).toThrow('two modules authenticate requests');
  });
});
