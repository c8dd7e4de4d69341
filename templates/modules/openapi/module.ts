import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'openapi',
  summary: 'Lets modules add to the description of a route in the contract',
  category: 'api',
  part: true,
});
