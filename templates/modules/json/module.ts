import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'json',
  summary: 'The rules of resources whose fields hold any JSON',
  category: 'data',
  part: true,
  withResources: 'json',
  requires: ['resource'],
});
