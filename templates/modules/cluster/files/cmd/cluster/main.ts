import path from 'node:path';
import { runCluster } from '../../internal/platform/cluster/run.ts';

// The server in several processes. In the sources as in what the build made of them, its file ends as this one does.
await runCluster(path.join(import.meta.dirname, '..', 'server', `main${path.extname(import.meta.filename)}`));
