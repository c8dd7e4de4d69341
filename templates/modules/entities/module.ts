import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'entities',
  summary: 'Remembers which entity a reply shows, for links that need fields that are not in the reply',
  category: 'data',
  part: true,
});
