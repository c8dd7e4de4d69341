import type { Peer } from './peer.ts';

export interface HeartbeatOptions {
  /** Milliseconds between two pings. */
  readonly everyMs: number;
  /** Milliseconds without a sign of life after which a client counts as gone, and in which it takes one of the messages that wait for it. */
  readonly timeoutMs: number;
  /** Told of each client that is removed for it. */
  readonly dead: () => void;
  /** Called at each look, for what else ends with time. */
  readonly looked: () => void;
}

/** Looks are ten times as frequent as pings, so that those are spread as the clients came. */
const looksPerPing = 10;

/**
 * Pings every client and removes those that are gone: a connection may be half open for hours without anybody being told. One
 * timer looks after all of them. Those whose token is over are told so.
 * @param peers the clients, as they are at each look
 * @param options how often, and how long a client may be silent
 * @returns what ends it
 */
export function heartbeat(
  peers: ReadonlySet<Peer>,
  { everyMs, timeoutMs, dead, looked }: HeartbeatOptions,
): () => void {
  const look = (): void => {
    const now = performance.now();
    const today = Date.now();
    for (const peer of peers) {
      peer.endIfStuck(now - timeoutMs);
      if (now - peer.seenAt > timeoutMs && !peer.isPaused) {
        dead();
        peer.terminate();
      } else if (peer.caller !== undefined && peer.caller.expiresAt <= today) peer.expire();
      else if (now - peer.pingedAt >= everyMs) peer.ping(now);
    }
    looked();
  };
  const timer = setInterval(look, Math.max(Math.min(everyMs / looksPerPing, 1000), 1)).unref();
  return () => clearInterval(timer);
}
