import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '../../../../pkg/client/websocket/envelope.ts';
import type { Peer } from './peer.ts';

/** Milliseconds between two looks whether the clients are gone. */
const sweepEvery = 20;

/**
 * Closes every connection with 1001, one after another over a time: the clients come back to other instances, and not all at once.
 * @param peers the clients; each leaves the set when its connection has ended
 * @param spreadMs milliseconds over which they are told
 * @param signal aborts at the deadline: what is left is cut off
 */
export async function drain(peers: ReadonlySet<Peer>, spreadMs: number, signal: AbortSignal): Promise<void> {
  const all = [...peers];
  const begun = performance.now();
  const cutOff = (): void => {
    for (const peer of peers) peer.terminate();
  };
  signal.addEventListener('abort', cutOff);
  try {
    for (let told = 0; told < all.length && !signal.aborted;) {
      const due = spreadMs === 0 ? all.length : Math.ceil(((performance.now() - begun) / spreadMs) * all.length);
      for (; told < Math.min(due, all.length); told += 1) void all[told]?.leave(closeCodes.goingAway, 'going away');
      if (told < all.length) await sleep(sweepEvery);
    }
    while (peers.size > 0) await sleep(sweepEvery);
  } finally {
    signal.removeEventListener('abort', cutOff);
  }
}
