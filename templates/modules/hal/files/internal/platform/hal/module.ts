import { Type } from 'typebox';
import { linksOfResources } from '../../links.gen.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { identity } from '../identity/module.ts';
import { metrics } from '../metrics/module.ts';
import { links, relations } from './links.ts';
import { createMetrics, speakHal } from './speakHal.ts';

/** Answers with links between resources (HAL) when the client asks for it. Each resource declares its links, and `links.ts` those of other routes. */
export const hal = defineModule({
  name: 'hal',
  config: Type.Object({}),
  requires: [http, identity, metrics],
  start({ use }) {
    // Without awaiting anything: modules that start at the same time register their routes.
    speakHal(use(http), {
      // Of two declarations for one operation, the last one counts: that of the owner.
      links: [...linksOfResources.flat(), ...links],
      relations,
      identity: use(identity),
      metrics: createMetrics(use(metrics).registry),
    });
    return { value: undefined };
  },
});
