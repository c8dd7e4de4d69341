import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'observability',
  summary: 'Prometheus alerts, each with a runbook, and Grafana dashboards',
  category: 'delivery',
  hosts: ['deploy/observability/', 'docs/runbooks/'],
  next: {
    added: [
      'load deploy/observability/alerts into Prometheus, and import deploy/observability/dashboards into Grafana',
    ],
    removed: ['take the rules out of Prometheus and the dashboards out of Grafana'],
  },
  renamed: {
    'docs/runbooks/http-error-budget-burn.md': 'docs/runbooks/http.md',
    'docs/runbooks/http-latency-high.md': 'docs/runbooks/http.md',
    'docs/runbooks/process-restarts.md': 'docs/runbooks/process.md',
    'docs/runbooks/event-loop-blocked.md': 'docs/runbooks/process.md',
    'docs/runbooks/file-descriptors-near-limit.md': 'docs/runbooks/process.md',
    'docs/runbooks/log-lines-lost.md': 'docs/runbooks/process.md',
  },
});
