import path from 'node:path';
import { runCluster } from '../../internal/platform/cluster/run.ts';

// Runs `cmd/server` in several processes. The file has the same extension as this one: `.ts` in the sources, `.js` after the build.
await runCluster(path.join(import.meta.dirname, '..', 'server', `main${path.extname(import.meta.filename)}`));
