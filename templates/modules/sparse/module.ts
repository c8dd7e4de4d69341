import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'sparse',
  summary: 'Lists of resources that give only the fields that a caller asks for',
  category: 'data',
  part: true,
  withResources: 'sparse',
  requires: ['entities', 'resource'],
});
