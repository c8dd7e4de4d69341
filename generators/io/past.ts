import {
  basesPath,
  type LockLines,
  lockPath,
  oldBasesFolder,
  oldLockPath,
  parseLock,
  parseOldLock,
} from '../engine/reconcile/lock.ts';
import { encode } from '../engine/text.ts';
import { indexBases } from '../engine/reconcile/bases.ts';
import { pastTexts } from './git.ts';
import { assertSafePath } from './paths.ts';
import type { Past } from './store.ts';
import { hashOf } from './tree.ts';

/**
 * Searches Git's history for what is damaged or missing in `.slipway/`.
 * @param root the service's folder
 * @param lost hashes of bases, and the path of the lock
 * @returns what was found; empty without Git
 */
export async function readPast(root: string, lost: ReadonlySet<string>): Promise<Past> {
  const wantsLock = lost.has(lockPath);
  const missing = new Set([...lost].filter((name) => name !== lockPath));
  const sources: ((hash: string) => Uint8Array | undefined)[] = [];
  // A lock from history may name more bases than those known to be missing. All commits are read in that case.
  for await (const text of wantsLock || missing.size > 0 ? pastTexts(root, basesPath) : []) {
    const source = indexBases(text, hashOf);
    sources.push(source);
    for (const hash of missing) if (source(hash) !== undefined) missing.delete(hash);
    if (!wantsLock && missing.size === 0) break;
  }
  const old = await oldBases(root, missing);
  return {
    lock: wantsLock ? await newestLock(root) : undefined,
    base: (hash) => old.get(hash) ?? firstOf(sources, (source) => source(hash)),
  };
}

function firstOf<Item, T>(items: readonly Item[], find: (item: Item) => T | undefined): T | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Bases in the format of version 1. */
async function oldBases(root: string, missing: ReadonlySet<string>): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const hash of missing) {
    for await (const text of pastTexts(root, `${oldBasesFolder}/${hash}`)) {
      const bytes = encode(text);
      if (hashOf(bytes) === hash) found.set(hash, bytes);
      if (found.has(hash)) break;
    }
  }
  return found;
}

async function newestLock(root: string): Promise<LockLines | undefined> {
  for await (const text of pastTexts(root, lockPath)) {
    const lines = parseLock(text, hashOf, assertSafePath);
    if (lines.fault === undefined && lines.edited.length === 0) return lines;
  }
  for await (const text of pastTexts(root, oldLockPath)) {
    const lines = parseOldLock(text, assertSafePath);
    if (lines.fault === undefined) return lines;
  }
  return undefined;
}
