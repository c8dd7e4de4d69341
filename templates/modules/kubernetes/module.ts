import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'kubernetes',
  summary: 'Kubernetes by Kustomize: Deployment, autoscaler, network policy; dev, staging, prod',
  category: 'delivery',
  // The pods depend on the image: its user, its paths, and its read-only root file system.
  requires: ['docker'],
  hosts: ['deploy/k8s/'],
  ownership: { seed: ['deploy/k8s/overlays/'] },
});
