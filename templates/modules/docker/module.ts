import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'docker',
  summary: 'Container image without a shell, and Compose with the servers that modules need',
  category: 'delivery',
  hosts: ['deploy/compose/', 'deploy/docker/'],
  scripts: { image: 'node scripts/image.ts' },
  next: {
    added: ['{run} image builds the image; deploy/compose/compose.yaml starts it with its servers'],
  },
});
