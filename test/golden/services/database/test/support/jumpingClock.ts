/**
 * Preloaded into a process (`node --import`), it lets the clock be set as an administrator or a time server does: `Date` jumps, and
 * nothing else does. Timers and `performance.now()` go on evenly, as they do then.
 */

declare global {
  /** Sets the clock forward by so many milliseconds, or back. */
  var setClock: ((byMs: number) => void) | undefined;
}

const { Date: SteadyDate } = globalThis;
const steadyNow = SteadyDate.now;
let shift = 0;

globalThis.setClock = (byMs) => {
  shift += byMs;
};
SteadyDate.now = () => steadyNow() + shift;
globalThis.Date = new Proxy(SteadyDate, {
  apply: () => new SteadyDate(SteadyDate.now()).toString(),
  construct: (target, args: [string | number]) =>
    args.at(0) === undefined ? new target(target.now()) : new target(...args),
});
