import { expect, it } from 'vitest';
import { checkConfig } from '../config/config.ts';
import { config } from './config.ts';
import { rules } from './rules.ts';

it('no message may be larger than the memory for all of them', () => {
  const check = (limit: string): void => checkConfig([config], { GRPC_MESSAGE_LIMIT_BYTES: limit }, rules);
  expect(() => check('33554432')).not.toThrow();
  expect(() => check('33554433')).toThrow('GRPC_MESSAGE_LIMIT_BYTES: expected at most GRPC_MESSAGE_MEMORY_BYTES');
});
