import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { chooseLock } from '../../generators/engine/reconcile/choose.ts';
import type { Lock } from '../../generators/engine/model.ts';
import {
  type LockLines,
  lockPath,
  oldLockPath,
  parseLock,
  parseOldLock,
  printLock,
} from '../../generators/engine/reconcile/lock.ts';

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes);

/**
 * @param text content of `.slipway/lock.jsonl`, one line for each path
 * @returns the lock
 */
export function lockIn(text: string): Lock {
  return lockOf(parseLock(text, sha256, () => {}));
}

function lockOf(lines: LockLines): Lock {
  if (lines.fault !== undefined || lines.edited.length > 0) throw new Error(`the lock is damaged: ${lines.fault}`);
  return chooseLock([lines], { read: () => undefined, base: () => undefined, hash: sha256 });
}

/**
 * @param lock a lock
 * @returns the text of `.slipway/lock.jsonl`
 */
export function lockText(lock: Lock): string {
  return printLock(lock, sha256);
}

/**
 * @param root a service's folder
 * @returns its lock, of this version or of version 1
 */
export function readLock(root: string): Lock {
  const textOf = (name: string): string => readFileSync(path.join(root, name), 'utf8');
  return existsSync(path.join(root, lockPath))
    ? lockIn(textOf(lockPath))
    : lockOf(parseOldLock(textOf(oldLockPath), () => {}));
}
