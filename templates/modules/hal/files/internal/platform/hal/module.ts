import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { identity } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { links, relations } from './links.ts';
import { createMetrics } from './metrics.ts';
import { speakHal } from './speakHal.ts';

/** Links between resources, in HAL, for clients that ask for it: as `links.ts` says. */
export const hal = defineModule({
  name: 'hal',
  config: Type.Object({}),
  requires: [http, identity, metrics],
  start({ use }) {
    // At once: modules that start beside this one register their routes meanwhile.
    speakHal(use(http), { links, relations, identity: use(identity), metrics: createMetrics(use(metrics).registry) });
    return { value: undefined };
  },
});
