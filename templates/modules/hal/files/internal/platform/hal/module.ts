import { Type } from 'typebox';
import { linksOfResources } from '../../links.gen.ts';
import { defineModule } from '../app/module.ts';
import { http } from '../http/module.ts';
import { identity } from '../identity/module.ts';
import { links } from './links.ts';
import { speakHal } from './speakHal.ts';

/** Answers with links between resources (HAL) when the client asks for it. Each resource declares its links, and `links.ts` those of other routes. */
export const hal = defineModule({
  name: 'hal',
  config: Type.Object({}),
  requires: [http, identity],
  start({ use }) {
    // Without awaiting anything: modules that start at the same time register their routes.
    speakHal(use(http), [...linksOfResources.flat(), ...links], use(identity));
    return { value: undefined };
  },
});
