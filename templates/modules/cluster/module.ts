import { defineModule } from '../../../generators/engine/model.ts';

export default defineModule({
  id: 'cluster',
  summary: 'Several processes on one port: all cores of a machine, rolling restarts',
  category: 'reliability',
  hosts: ['internal/platform/cluster/'],
  scripts: {
    'start:cluster': 'exec node dist/cmd/cluster/main.js',
    'prestart:cluster': 'node --run build',
  },
  platformTests: ['internal/platform/cluster/testing.ts'],
  next: {
    added: ['{run} start:cluster starts one process for each core'],
  },
  renamed: {
    'internal/cluster/': 'internal/platform/cluster/',
    'docs/runbooks/worker-crash-loop.md': 'docs/runbooks/cluster.md',
    'internal/cluster/admin.ts': 'internal/platform/cluster/admin.ts',
    'internal/cluster/exposition.ts': 'internal/platform/cluster/admin.ts',
    'internal/cluster/exposition.test.ts': 'internal/platform/cluster/admin.test.ts',
    'internal/cluster/worker.ts': 'internal/platform/cluster/supervisor.ts',
    'internal/cluster/metrics.ts': 'internal/platform/cluster/supervisor.ts',
    'internal/cluster/supervisor.ts': 'internal/platform/cluster/supervisor.ts',
  },
});
