/** Compares `api/proto`, by the rules in `buf.yaml`. What stands beneath `breaking.ignore` there may break callers. */
import { spawnSync } from 'node:child_process';
import { findPackageJSON } from 'node:module';
import path from 'node:path';
import { compareWithRelease } from '../release/compareWithRelease.ts';

// It says where the contract is: a release that has it has a contract.
compareWithRelease('buf.yaml', (tag) => {
  const { stdout: before } = spawnSync('git', ['archive', '--format=tar', tag], { maxBuffer: Infinity });
  const buf = path.join(path.dirname(findPackageJSON('@bufbuild/buf', import.meta.url) ?? ''), 'bin', 'buf');
  const { status } = spawnSync(process.execPath, [buf, 'breaking', '--exclude-imports', '--against', '-#format=tar'], {
    input: before,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write(`
Callers of ${tag} by gRPC break. Take the change back; or add beside it what they need, in a package of its own (v2) say. When they are
to break, name the file beneath breaking.ignore in buf.yaml, until that is released.
`);
  }
  return status ?? 1;
});
