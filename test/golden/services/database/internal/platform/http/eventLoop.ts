import type { Server } from 'node:http';

/** Milliseconds between two looks. */
const interval = 100;

/**
 * Watches how late the event loop is while a server listens: as late as its timers are, so late are its replies.
 */
export class EventLoop {
  #delayMs = 0;

  /** @param server of node:http; begins when it listens, ends when it closes */
  constructor(server: Server) {
    server.once('listening', () => {
      let last = performance.now();
      const timer = setInterval(() => {
        const now = performance.now();
        this.#delayMs = now - last - interval;
        last = now;
      }, interval).unref();
      server.once('close', () => clearInterval(timer));
    });
  }

  /** Milliseconds by which the last look was late. */
  get delayMs(): number {
    return this.#delayMs;
  }
}
