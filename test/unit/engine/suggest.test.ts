import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from '../../../generators/engine/suggest.ts';

const modules = ['auth', 'cors', 'grpc', 'hal', 'postgres', 'redis', 'tls'];

describe('a suggestion', () => {
  it.each([
    ['grcp', 'grpc'],
    ['tsl', 'tls'],
    ['rgpc', 'grpc'],
    ['auht', 'auth'],
    ['postgress', 'postgres'],
    ['postgers', 'postgres'],
    ['redi', 'redis'],
  ])('for %s is %s', (word, known) => {
    expect(suggest(word, modules)).toBe(known);
  });

  it.each(['kafka', '', 'x', 'x'.repeat(1000)])('for %j is none', (word) => {
    expect(suggest(word, modules)).toBeUndefined();
    expect(didYouMean(word, modules)).toBe(`known: ${modules.join(', ')}`);
  });
});
