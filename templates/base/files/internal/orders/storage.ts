import { memory } from '../platform/resource/memory.ts';
import { memoryOrders } from './memory.ts';

/** Where the service stores orders. */
export const storage = { module: memory, open: memoryOrders };
