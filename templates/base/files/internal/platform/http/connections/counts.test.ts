import { expect, it } from 'vitest';
import { Counts } from '../connections.ts';

it('each has what was added and not removed; who has none is as one who never came', () => {
  const counts = new Counts();
  counts.add('10.0.0.1');
  counts.add('10.0.0.1');
  counts.add('10.0.0.2');
  expect(counts.of('10.0.0.1')).toBe(2);
  counts.remove('10.0.0.1');
  counts.remove('10.0.0.2');
  expect(counts.of('10.0.0.1')).toBe(1);
  expect(counts.of('10.0.0.2')).toBe(0);
  counts.remove('10.0.0.2');
  counts.add('10.0.0.2');
  expect(counts.of('10.0.0.2')).toBe(1);
});
