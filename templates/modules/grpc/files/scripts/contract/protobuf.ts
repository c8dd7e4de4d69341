/** Compares `api/proto`, by the rules in `buf.yaml`. Files under `breaking.ignore` there may break callers. */
import { spawnSync } from 'node:child_process';
import { findPackageJSON } from 'node:module';
import path from 'node:path';

/** It names the contract: a release that has it has a contract. */
export const file = 'buf.yaml';

/**
 * Compares with a release, and prints what breaks callers.
 * @param tag of the release
 * @returns the exit code
 */
export function compare(tag: string): number {
  const { stdout: before } = spawnSync('git', ['archive', '--format=tar', tag], { maxBuffer: Infinity });
  const buf = path.join(path.dirname(findPackageJSON('@bufbuild/buf', import.meta.url) ?? ''), 'bin', 'buf');
  const { status } = spawnSync(process.execPath, [buf, 'breaking', '--exclude-imports', '--against', '-#format=tar'], {
    input: before,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write(`
Callers of ${tag} by gRPC break. Revert the change, or add the new beside it, in a package v2 for example. To break them on purpose, name
the file under breaking.ignore in buf.yaml until that is released.
`);
  }
  return status ?? 1;
}
