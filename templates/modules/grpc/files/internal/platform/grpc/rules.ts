import { type Rule, atMost } from '../config/config.ts';
import { config } from './config.ts';

/** Otherwise each message that large would be turned away for want of memory, however often it is sent. */
export const rules: readonly Rule[] = [atMost(config, 'GRPC_MESSAGE_LIMIT_BYTES', 'GRPC_MESSAGE_MEMORY_BYTES')];
