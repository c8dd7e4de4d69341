import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'argocd',
  summary: 'Argo CD: the cluster follows the branch main; production is closed at weekends',
  category: 'delivery',
  requires: ['kubernetes'],
  hosts: ['deploy/argocd/'],
  ownership: { seed: ['deploy/argocd/source.yaml'] },
  next: {
    added: ['put the URL of this repository into deploy/argocd/source.yaml, then run kubectl apply -k deploy/argocd'],
    removed: [
      'Argo CD follows the repository until you delete its Applications: kubectl delete -n argocd application <name>',
    ],
  },
  renamed: {
    'deploy/argocd/README.md': 'docs/argocd.md',
    'deploy/argocd/applications.yaml': 'deploy/argocd/applications.yaml',
    'deploy/argocd/project.yaml': 'deploy/argocd/applications.yaml',
  },
});
