import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'cors',
  summary: 'CORS: pages of other origins call the API from a browser',
  category: 'api',
  hosts: ['internal/platform/cors/'],
  wiring: { cors: 'internal/platform/cors/module.ts' },
  renamed: { 'internal/http/cors.ts': 'internal/platform/cors/module.ts' },
  next: {
    added: ['name the origins of your pages in CORS_ORIGINS'],
    removed: ['pages of other origins cannot call the API any more'],
  },
});
