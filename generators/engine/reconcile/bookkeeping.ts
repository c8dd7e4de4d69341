import { manifestPath } from '../manifest.ts';
import type { Change, Plan, Service } from '../model.ts';
import { basesPath, lockPath, printLock } from './lock.ts';
import { decode, encode } from '../text.ts';
import { printBases } from './bases.ts';
import { withLf } from './merge/lineEnds.ts';

/**
 * Returns the changes to Slipway's own files: the bases, the lock and the manifest.
 * @param service the current state of the service
 * @param plan what to do with the files
 * @param manifestText new content of `slipway.json`
 * @returns one change for each file that differs; empty when all are up to date
 */
export function bookkeeping(service: Service, plan: Plan, manifestText: string): Change[] {
  const lock = printLock(plan.lock, service.hash);
  // A sparse checkout may lack `.slipway/`. Git has it then, and it stays there while nothing in it changes.
  const isKept = service.sparse?.has(lockPath) === true && printLock(service.lock, service.hash) === lock;
  const store = [
    ...rewritten(service, basesPath, printBases(wantedBases(plan))),
    ...rewritten(service, lockPath, lock),
  ];
  return [...outdatedFiles(service), ...(isKept ? [] : store), ...rewritten(service, manifestPath, manifestText)];
}

/** Returns the bases that the lock names and drops all others. */
function wantedBases({ lock, bases }: Plan): Map<string, Uint8Array> {
  const merged = Object.values(lock.files).filter((file) => file.ownership === 'merged');
  const wanted = new Set(merged.map((file) => file.hash));
  return new Map([...bases].filter(([hash]) => wanted.has(hash)));
}

function rewritten({ read, hash }: Service, path: string, text: string): Change[] {
  const bytes = encode(text);
  const present = read(path);
  if (present?.hash === hash(bytes)) return [];
  // A checkout of Git may have changed the line ends.
  if (path !== manifestPath && present !== undefined && withLf(decode(present.bytes) ?? '') === text) return [];
  return [{ path, expect: present?.hash ?? null, write: bytes, mode: present?.mode ?? 0o644 }];
}

function outdatedFiles({ read, outdated }: Service): Change[] {
  return outdated().flatMap((path) => {
    const present = read(path);
    return present === undefined ? [] : [{ path, expect: present.hash, remove: true }];
  });
}
