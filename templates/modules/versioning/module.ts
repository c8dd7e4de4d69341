import { defineModule } from '../../../generators/engine/module.ts';

export default defineModule({
  id: 'versioning',
  summary: 'Versions of the API side by side, by path, media type or query; deprecation and sunset',
  category: 'api',
  dependencies: ['negotiator'],
  devDependencies: ['@types/negotiator'],
  wiring: { versioning: 'internal/versioning/module.ts' },
  ownership: { seed: ['internal/versioning/versions.ts', 'internal/parts/'] },
});
