import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { redis } from '../redis/module.ts';
import { ratelimit } from './module.ts';
import { RedisStore } from './redisStore.ts';

/** Has all processes that share a Redis count their limits there; without one, nothing changes. */
export const sharedRatelimit = defineModule({
  name: 'shared-ratelimit',
  config: Type.Object({}),
  requires: [ratelimit, redis],
  start({ log, use }) {
    const { server } = use(redis);
    const { memory, fellBack, countIn } = use(ratelimit);
    if (server !== undefined) countIn(new RedisStore({ server, fallback: memory, log, fellBack }));
    return { value: undefined };
  },
});
