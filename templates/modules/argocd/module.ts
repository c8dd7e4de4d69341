import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'argocd',
  summary: 'Argo CD: the cluster follows the branch main; production is closed at weekends',
  category: 'delivery',
  requires: ['kubernetes'],
  hosts: ['deploy/argocd/'],
  ownership: { seed: ['deploy/argocd/source.yaml'] },
  renamed: { 'deploy/argocd/README.md': 'docs/argocd.md' },
});
