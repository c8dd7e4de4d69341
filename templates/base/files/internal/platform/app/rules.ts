import { below } from '../config/config.ts';
import { config } from './config.ts';

/** The delay is part of the time to stop: something must be left of it. */
export const rules = [below(config, 'SHUTDOWN_DELAY_MS', 'SHUTDOWN_TIMEOUT_MS')];
