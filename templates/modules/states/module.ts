import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'states',
  summary: 'Metrics of the states of resources: transitions, and entities by state',
  category: 'data',
  part: true,
  withResources: 'states',
  requires: ['resource'],
  wiring: { stateMetrics: 'internal/platform/resource/states.ts' },
});
