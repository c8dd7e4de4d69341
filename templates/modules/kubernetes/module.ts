import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'kubernetes',
  summary: 'Kubernetes by Kustomize: Deployment, autoscaler, network policy; dev, staging, prod',
  category: 'delivery',
  // The pods rely on the image: its user, its paths, its root file system that nobody writes.
  requires: ['docker'],
  hosts: ['deploy/k8s/'],
  ownership: { seed: ['deploy/k8s/overlays/'] },
});
