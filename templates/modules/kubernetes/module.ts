import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'kubernetes',
  summary: 'Kubernetes by Kustomize: Deployment, autoscaler, network policy; dev, staging, prod',
  category: 'delivery',
  // The pods depend on the image: its user, its paths, and its read-only root file system.
  requires: ['docker'],
  devDependencies: ['yaml'],
  hosts: ['deploy/k8s/'],
  ownership: { seed: ['deploy/k8s/overlays/'] },
  next: {
    added: [
      'put your registry into deploy/k8s/overlays/staging and prod; {run} production lists what is missing before the first release',
    ],
    removed: ['objects in a cluster stay: kubectl delete them, or their namespaces'],
  },
  renamed: {
    'deploy/k8s/base/deployment.yaml': 'deploy/k8s/base/deployment.yaml',
    'deploy/k8s/base/hpa.yaml': 'deploy/k8s/base/deployment.yaml',
    'deploy/k8s/base/pdb.yaml': 'deploy/k8s/base/deployment.yaml',
    'deploy/k8s/base/service.yaml': 'deploy/k8s/base/deployment.yaml',
    'deploy/k8s/base/serviceaccount.yaml': 'deploy/k8s/base/deployment.yaml',
  },
});
