import { describe, expect, it } from 'vitest';
import { Identity } from './module.ts';

const nobody = () => Promise.reject(new Error('not asked'));

describe('identity', () => {
  it('knows nobody until a module provides that', () => {
    const identity = new Identity();
    expect(identity.authenticate).toBeUndefined();
    identity.provide(nobody);
    expect(identity.authenticate).toBe(nobody);
  });

  it('refuses a second module: which of two decides is no matter of order', () => {
    const identity = new Identity();
    identity.provide(nobody);
    expect(() => identity.provide(nobody)).toThrow('two modules authenticate requests');
  });
});
