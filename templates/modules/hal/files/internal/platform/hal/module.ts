import { Type } from 'typebox';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { identity } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { links, relations } from './links.ts';
import { createMetrics, speakHal } from './speakHal.ts';

/** Answers with links between resources (HAL) when the client asks for it. `links.ts` declares the links. */
export const hal = defineModule({
  name: 'hal',
  config: Type.Object({}),
  requires: [http, identity, metrics],
  start({ use }) {
    // Without awaiting anything: modules that start at the same time register their routes.
    speakHal(use(http), { links, relations, identity: use(identity), metrics: createMetrics(use(metrics).registry) });
    return { value: undefined };
  },
});
