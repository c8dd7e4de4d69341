import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Context, background, contextKey, current, runWith, withTimeout } from './index.ts';

function contextFor(ms: number): Context {
  return new Context({ id: 'r-1', deadline: performance.now() + ms });
}

describe('the current context', () => {
  it('is the background until work runs in another one, and follows it across awaits', async () => {
    expect(current()).toBe(background);
    const context = contextFor(1000);
    await runWith(context, async () => {
      await sleep(1);
      expect(current()).toBe(context);
    });
    expect(current()).toBe(background);
  });

  it('is of one request, however many there are', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `r-${index}`);
    const seen = ids.map((id) =>
      runWith(new Context({ id }), async () => {
        await sleep(1);
        return current().id;
      }),
    );
    expect(await Promise.all(seen)).toEqual(ids);
  });

  it('cannot be ended in the background', () => {
    background.cancel();
    expect(background.signal.aborted).toBe(false);
    expect(background.remainingMs()).toBe(Infinity);
  });
});

describe('a value', () => {
  it('is seen by all that is called, and set anew only further in', () => {
    const user = contextKey<string>('user');
    const outer = contextFor(1000);
    outer.set(user, 'ada');
    const inner = outer.child();
    expect(inner.get(user)).toBe('ada');
    inner.set(user, 'eve');
    expect([inner.get(user), outer.get(user)]).toEqual(['eve', 'ada']);
    expect(outer.get(contextKey<string>('user'))).toBeUndefined();
  });
});

describe('a deadline', () => {
  it('aborts the signal, with an error that callers are told as 504', async () => {
    const { signal } = contextFor(10);
    expect(signal.aborted).toBe(false);
    await sleep(30);
    expect(signal.reason).toMatchObject({ code: 'deadline_exceeded', status: 504 });
  });

  it('has passed also for who asks for the signal only then', () => {
    const late = contextFor(-1);
    expect(late.remainingMs()).toBe(0);
    expect(late.signal.reason).toMatchObject({ code: 'deadline_exceeded' });
    expect(() => late.throwIfEnded()).toThrow('The time allowed');
  });

  it('of a part is that of the whole, when that comes first', () => {
    const whole = contextFor(100);
    expect(whole.child(1000).deadline).toBe(whole.deadline);
    expect(whole.child(10).remainingMs()).toBeLessThanOrEqual(10);
  });

  it('of a part ends the part, and not the whole', async () => {
    const whole = contextFor(1000);
    const reason = runWith(whole, () =>
      withTimeout(10, async () => {
        const { signal } = current();
        await sleep(1000, undefined, { signal }).catch(() => undefined);
        return String(signal.reason);
      }),
    );
    expect(await reason).toContain('The time allowed');
    expect(whole.signal.aborted).toBe(false);
  });

  it('further away than a timer reaches does not pass at once', async () => {
    const { signal } = contextFor(2 ** 40);
    await sleep(5);
    expect(signal.aborted).toBe(false);
  });
});

describe('cancellation', () => {
  it('reaches every part, before its signal was asked for or after', () => {
    const whole = contextFor(1000);
    const early = whole.child(500);
    const { signal } = early;
    whole.cancel();
    expect(signal.reason).toMatchObject({ code: 'cancelled' });
    expect(whole.child().signal.aborted).toBe(true);
  });

  it('at the usual end gives all signals the same reason, because creating an error is expensive', () => {
    const ended = [contextFor(1000), contextFor(1000)].map((context) => {
      const { signal } = context;
      context.cancel();
      return signal;
    });
    expect(ended[0]?.reason).toMatchObject({ code: 'cancelled', status: 499 });
    expect(ended[1]?.reason).toBe(ended[0]?.reason);
  });

  it('counts once', () => {
    const context = contextFor(1000);
    const { signal } = context;
    context.cancel(new Error('first'));
    context.cancel(new Error('second'));
    expect(signal.reason).toHaveProperty('message', 'first');
  });

  it('comes with the end of the work: what it left behind is aborted', async () => {
    const left = await withTimeout(1000, async () => current().signal);
    expect(left.aborted).toBe(true);
  });
});
