import { encode } from '../fileSet.ts';
import { manifestPath } from '../manifest.ts';
import { lockPath, objectPath, printLock } from './lock.ts';
import type { Change, Plan } from './plan.ts';
import type { Service } from './service.ts';

/**
 * What Slipway writes for itself beside a plan's files: the bases, the lock and the manifest.
 * @param service as it is now
 * @param plan what to do with the files
 * @param manifestText content of `slipway.json` afterwards
 * @returns one change for each file that differs; empty when everything is as it should be
 */
export function bookkeeping(service: Service, plan: Plan, manifestText: string): Change[] {
  return [
    ...baseChanges(service, plan),
    ...rewritten(service, lockPath, printLock(plan.lock)),
    ...rewritten(service, manifestPath, manifestText),
  ];
}

function rewritten({ read, hash }: Service, path: string, text: string): Change[] {
  const bytes = encode(text);
  const present = read(path);
  if (present?.hash === hash(bytes)) return [];
  return [{ path, expect: present?.hash ?? null, write: bytes, mode: present?.mode ?? 0o644 }];
}

/** Keeps the bases that the lock names, mends damaged ones, and removes the rest. */
function baseChanges({ read, objects }: Service, { lock, bases }: Plan): Change[] {
  const merged = Object.values(lock.files).filter((file) => file.ownership === 'merged');
  const wanted = new Set(merged.map((file) => file.hash));
  const changes: Change[] = [];
  for (const [hash, bytes] of bases) {
    const present = read(objectPath(hash));
    if (!wanted.has(hash) || present?.hash === hash) continue;
    changes.push({ path: objectPath(hash), expect: present?.hash ?? null, write: bytes, mode: 0o644 });
  }
  for (const name of objects()) {
    const present = wanted.has(name) ? undefined : read(objectPath(name));
    if (present !== undefined) changes.push({ path: objectPath(name), expect: present.hash, remove: true });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
