import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'observability',
  summary: 'Prometheus alerts, each with a runbook, and Grafana dashboards',
  category: 'delivery',
  hosts: ['deploy/observability/', 'docs/runbooks/'],
});
