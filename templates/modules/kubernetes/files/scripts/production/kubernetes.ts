import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { config } from '../../internal/platform/app/config.ts';
import { readConfig } from '../../internal/platform/config/config.ts';
import type { Check } from '../production.ts';

const deployment = 'deploy/k8s/base/deployment.yaml';

/** What `npm run production` looks for. */
export const checks: readonly Check[] = [{ what: 'the process has time to stop', look: graceful }];

/** The time that Kubernetes gives must be more than the service takes. */
function graceful(root: string): string | undefined {
  const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
  const grace = Number(/^ *terminationGracePeriodSeconds: (\d+)$/m.exec(read(deployment))?.[1]) * 1000;
  const set = globSync('deploy/k8s/**/*.*', { cwd: root }).flatMap((file) =>
    [...read(file).matchAll(/SHUTDOWN_TIMEOUT_MS[=:] *'?(\d+)/g)].map(([, ms]) => Number(ms)),
  );
  const longest = Math.max(readConfig(config, {}).SHUTDOWN_TIMEOUT_MS, ...set);
  if (longest < grace) return undefined;
  return `SHUTDOWN_TIMEOUT_MS is ${longest}; raise terminationGracePeriodSeconds in ${deployment} above it`;
}
