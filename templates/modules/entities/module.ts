import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'entities',
  summary: 'Remembers which entity a part of a reply shows',
  category: 'data',
  part: true,
});
